"""A changed argument goes through the regions, one after the other, while somebody keeps asking."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai
from rich.console import Console

from cli.demo.asking import Refusal, ask
from cli.demo.examples import example
from cli.demo.shell import DemoError, Shell
from cli.demo.traffic import Traffic

MODEL = "phi-3-mini-4k-instruct"
PLACEMENT, FIRST, RUN = "support", "support-first", "support-second"
"""The placement, and the runs that take it to the regions: to all at once, and one by one."""
STAGE_SECONDS = 300.0
POLL_SECONDS = 0.5
_KIND = "clusterstagedupdaterun"


@dataclass(frozen=True, slots=True)
class Rollout:
    console: Console
    shell: Shell
    client: openai.OpenAI

    def begin(self) -> None:
        """Have the model in every region."""
        self._apply("staged-rollout.yaml")

    def change(self) -> None:
        """Roll the change out, with the word that the last region waits for."""
        self._await("the first run", lambda: self._succeeded(FIRST))
        with Traffic(self.client, MODEL) as traffic:
            self._apply("staged-rollout-change.yaml")
            self._await("a snapshot of the change", self._changed)
            self._apply("staged-rollout-run.yaml")
            self._await("the run to ask for approval", self._asks)
            self.shell.show("rollout", "status", PLACEMENT)
            self.shell.show("rollout", "approve", PLACEMENT)
            self._await("the last region", lambda: self._succeeded(RUN))
            self.shell.show("rollout", "status", PLACEMENT)
        self._tell(traffic)

    def _tell(self, traffic: Traffic) -> None:
        count = traffic.answered + len(traffic.refused)
        text = f"{count} requests meanwhile, {len(traffic.refused)} failed"
        if traffic.refused:
            raise DemoError(f"{text}: {traffic.refused[0].message}")
        reply = ask(self.client, MODEL, "What has changed?")
        if isinstance(reply, Refusal):
            raise DemoError(f"{MODEL} is rolled out, but: {reply.message}")
        self.console.print(f"[green]✓[/green] {MODEL}: {text}; asked once more: {reply.described}")

    def _apply(self, name: str) -> None:
        self.shell.show("local", "kubectl", "hub", "--", "apply", "-f", example(name))

    def _await(self, what: str, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STAGE_SECONDS
        while not there():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {STAGE_SECONDS:.0f} s for {what}")
            time.sleep(POLL_SECONDS)

    def _changed(self) -> bool:
        label = f"kubernetes-fleet.io/parent-CRP={PLACEMENT}"
        return len(self.shell.get("hub", "clusterresourcesnapshots", "-l", label)["items"]) > 1

    def _asks(self) -> bool:
        """Say whether the run waits; it makes its request once it has come so far."""
        asked = self.shell.get("hub", "clusterapprovalrequests")["items"]
        return any(request["spec"]["parentStageRollout"] == RUN for request in asked)

    def _succeeded(self, run: str) -> bool:
        said = self._conditions(self.shell.get("hub", _KIND, run)).get("Succeeded", {})
        if said.get("status") == "False":
            raise DemoError(f"{run} failed: {said['message']}")
        return bool(said.get("status") == "True")

    @staticmethod
    def _conditions(run: Any) -> dict[str, Any]:
        return {said["type"]: said for said in run.get("status", {}).get("conditions", [])}

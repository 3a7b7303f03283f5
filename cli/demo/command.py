"""`modelfleet demo`: the whole path, with real control planes, a region lost, and a rollout."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import openai
import typer
from rich.console import Console

from cli.demo.asking import Refusal, Reply, ask, ask_until
from cli.demo.examples import example
from cli.demo.picture import recorder, save
from cli.demo.rollout import Rollout
from cli.demo.shell import DemoError, Shell

WORKSPACE, DEPLOYMENT = "phi-4-mini-instruct", "qwen2-7b"
"""Models, by the names that clients call them."""
PLACEMENT, NAMESPACE = "chat", "models"
"""The placement of the one, and the namespace of the other."""
FIRST_ANSWER_SECONDS, FAILOVER_SECONDS, PLACED_SECONDS = 180.0, 240.0, 60.0


def demo(
    fleet: Annotated[str, typer.Option(envvar="MODELFLEET_FLEET", help="Local fleet.")] = "local",
    picture: Annotated[
        Path | None, typer.Option(help="Also write what is shown to this file, as an SVG.")
    ] = None,
) -> None:
    """Place models on a fleet of four real control planes, lose a region, roll a change out.

    Example: modelfleet demo
    """
    console = recorder() if picture else Console(highlight=False)
    try:
        Demo(console, Shell(console, fleet)).run()
        if picture:
            save(console, picture)
    except (DemoError, TimeoutError) as error:
        console.print(f"[red]{error}[/red]")
        console.print("The fleet is still there: `modelfleet status`, `modelfleet local logs`.")
        raise typer.Exit(1) from error


@dataclass(slots=True)
class Demo:
    console: Console
    shell: Shell
    started: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        self.shell.show("up")
        self._place()
        client = self._client()
        workspace = self._first_answers(client)
        rollout = Rollout(self.console, self.shell, client)
        rollout.begin()
        self._lose(client, workspace)
        self._return(workspace.region)
        rollout.change()
        self._end()

    def say(self, text: str) -> None:
        self.console.print(text)

    def _place(self) -> None:
        for name in ("phi-4-mini.yaml", "model-deployment.yaml"):
            self.shell.show("local", "kubectl", "hub", "--", "apply", "-f", example(name))
        self._await_bindings()
        self.shell.show("explain", PLACEMENT)
        self.shell.show("explain", DEPLOYMENT, "-n", NAMESPACE)

    def _await_bindings(self) -> None:
        """Wait until both are placed: the explanation is then that of the bindings."""
        deadline = time.monotonic() + PLACED_SECONDS
        kinds = {"clusterresourcebindings": ("-A",), "resourcebindings": ("-n", NAMESPACE)}
        while True:
            found = [self.shell.get("hub", kind, *where)["items"] for kind, where in kinds.items()]
            if all(found):
                return
            if time.monotonic() > deadline:
                raise TimeoutError("the hub has made no binding: see `modelfleet local logs hub`")
            time.sleep(0.2)

    def _client(self) -> openai.OpenAI:
        gateway = self.shell.json("local", "status", "-o", "json")["gateway"]
        self.say(f"\nOne endpoint for all regions: [bold]{gateway['url']}[/bold]")
        return openai.OpenAI(
            base_url=gateway["url"], api_key=gateway["key"], max_retries=0, timeout=60
        )

    def _first_answers(self, client: openai.OpenAI) -> Reply:
        replies = {}
        for model in (WORKSPACE, DEPLOYMENT):
            reply, _ = ask_until(
                client, model, deadline_seconds=FIRST_ANSWER_SECONDS, refused=lambda _: None
            )
            replies[model] = reply
            since = time.monotonic() - self.started
            self.say(f"[green]✓[/green] {model}: {reply.described}, {since:.1f} s after the start")
        return replies[WORKSPACE]

    def _lose(self, client: openai.OpenAI, served: Reply) -> None:
        cluster = self._cluster_of(served.region)
        self._await_all_replicas()
        self.shell.show("local", "stop", cluster)
        lost = time.monotonic()
        reply = ask(client, DEPLOYMENT, "Who answers now?")
        if isinstance(reply, Refusal):
            raise DemoError(f"{DEPLOYMENT} has replicas elsewhere, but: {reply.message}")
        self.say(f"[green]✓[/green] {DEPLOYMENT} goes on: {reply.described}")
        self._fail_over(client, lost)

    def _fail_over(self, client: openai.OpenAI, lost: float) -> None:
        said = list[str]()

        def refused(refusal: Refusal) -> None:
            if not said:
                after = f", Retry-After {refusal.retry_after} s" if refusal.retry_after else ""
                text = f"{refusal.status}{after}: {refusal.message}"
                said.append(text)
                self.say(f"[yellow]…[/yellow] {WORKSPACE}: {text}")

        reply, _ = ask_until(client, WORKSPACE, deadline_seconds=FAILOVER_SECONDS, refused=refused)
        seconds = time.monotonic() - lost
        self.say(f"[green]✓[/green] {WORKSPACE}: {reply.described}, {seconds:.1f} s after the loss")
        self.shell.show("explain", PLACEMENT)

    def _await_all_replicas(self) -> None:
        """Wait until the deployment's other region is ready too, or there is nowhere to go on."""
        deadline = time.monotonic() + FIRST_ANSWER_SECONDS
        while True:
            arguments = ("-n", NAMESPACE, DEPLOYMENT)
            status = self.shell.get("hub", "modeldeployments.modelfleet.dev", *arguments)["status"]
            if status.get("readyReplicas", 0) >= status.get("replicas", 1):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{DEPLOYMENT} is not ready everywhere: {status['conditions']}")
            time.sleep(0.5)
        clusters, price = ", ".join(status["clusters"]), status["usdPerHour"]
        self.say(f"[green]✓[/green] {DEPLOYMENT}: ready on {clusters}, ${price}/h in all")

    def _cluster_of(self, region: str) -> str:
        members = self.shell.get("hub", "memberclusters")["items"]
        label = "topology.kubernetes.io/region"
        named = {m["metadata"]["labels"].get(label): m["metadata"]["name"] for m in members}
        return str(named[region])

    def _return(self, region: str) -> None:
        self.shell.show("local", "start", self._cluster_of(region))

    def _end(self) -> None:
        self.shell.show("status")
        self.say(
            f"""
The fleet stays up. Go on by hand:
  modelfleet chat {WORKSPACE} "Why is the sky blue?"
  modelfleet explain {PLACEMENT}
  modelfleet local kubectl hub -- get workspaces,modeldeployments,modelendpoints -A
  modelfleet down"""
        )

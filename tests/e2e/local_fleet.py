"""A local fleet as a test drives it: by the commands that a user has."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import openai
import yaml

T = TypeVar("T")
POLL_SECONDS = 0.25
COMMAND_SECONDS = 300
REGION = "x-modelfleet-region"
GATEWAY_IDENTITY = "modelfleet-gateway"
"""Name of the Work by which each member gets its gateway's certificate and credential."""


class CommandError(AssertionError):
    """A command of ours failed; the text is what it printed."""


@dataclass(frozen=True, slots=True)
class LocalFleet:
    name: str

    def modelfleet(self, *arguments: str, stdin: str = "") -> str:
        """Run a command for this fleet and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env=self._environ,
        )
        if done.returncode:
            raise CommandError(f"modelfleet {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    @property
    def _environ(self) -> dict[str, str]:
        return {**os.environ, "MODELFLEET_FLEET": self.name, "KUBECONFIG": ""}

    def kubectl(self, cluster: str, *arguments: str, stdin: str = "") -> str:
        return self.modelfleet("local", "kubectl", cluster, "--", *arguments, stdin=stdin)

    @contextmanager
    def forwarded(self, cluster: str, pod: str, port: int, *, namespace: str) -> Iterator[str]:
        """Have kubectl forward a port of a pod while the block runs; give its address here."""
        words = ("local", "kubectl", cluster, "--", "port-forward", f"--namespace={namespace}")
        with subprocess.Popen(
            [sys.executable, "-m", "cli", *words, f"pod/{pod}", f":{port}"],
            stdout=subprocess.PIPE,
            text=True,
            env=self._environ,
        ) as process:
            try:
                assert process.stdout is not None
                said = process.stdout.readline()
                yield f"http://{said.split()[2]}"
            finally:
                process.terminate()

    def get(self, cluster: str, kind: str, *arguments: str) -> Any:
        return json.loads(self.kubectl(cluster, "get", kind, *arguments, "-o", "json"))

    def items(self, cluster: str, kind: str, *arguments: str) -> list[Any]:
        """Read the objects of a kind in all namespaces."""
        return list(self.get(cluster, kind, "-A", *arguments)["items"])

    def placed(self, cluster: str, kind: str) -> list[Any]:
        """Read what placements made of a kind, and not what gateways know each other by."""
        found = self.items(cluster, kind)
        return [item for item in found if item["metadata"]["name"] != GATEWAY_IDENTITY]

    def apply(self, cluster: str, *manifests: Mapping[str, Any]) -> str:
        return self.kubectl(cluster, "apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def status(self) -> Any:
        return json.loads(self.modelfleet("local", "status", "-o", "json"))

    def pid(self, process: str) -> int:
        found = {p["name"]: p["pid"] for p in self.status()["processes"]}
        return int(found[process])

    def kill(self, process: str) -> int:
        """End one of the fleet's own programs as a crash does; return its pid."""
        pid = self.pid(process)
        os.kill(pid, signal.SIGKILL)
        return pid

    def client(self) -> openai.OpenAI:
        """Make a client of the global gateway; whoever asks for it closes it."""
        gateway = self.status()["gateway"]
        return openai.OpenAI(
            base_url=gateway["url"], api_key=gateway["key"], max_retries=0, timeout=30
        )

    def binding(self, kind: str, placement: str) -> Any | None:
        """Read the binding that a placement has in use."""
        found = self.items("hub", kind, "-l", f"kubernetes-fleet.io/parent-CRP={placement}")
        return next((b for b in found if b["spec"]["state"] != "Unscheduled"), None)


def until(
    look: Callable[[], T | None], what: str | Callable[[], str], *, seconds: float = 180.0
) -> T:
    """Wait until `look` finds something true; say what was waited for, and what was last seen."""
    deadline, last = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except (CommandError, openai.APIError, KeyError, IndexError) as error:
            last = str(error)
        time.sleep(POLL_SECONDS)
    told = what if isinstance(what, str) else what()
    raise AssertionError(f"waited {seconds:.0f} s for {told}; last: {last}")


def ask(client: openai.OpenAI, model: str) -> str:
    """Ask a model once and return the region that answered."""
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": "hello"}], max_tokens=8
    )
    assert raw.parse().choices[0].message.content
    return str(raw.headers[REGION])


def condition(resource: Any, kind: str) -> Any | None:
    conditions = resource.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), None)


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def workspace(name: str, in_namespace: str, preset: str, **resource: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kaito.sh/v1beta1",
        "kind": "Workspace",
        "metadata": {"name": name, "namespace": in_namespace},
        "resource": {"labelSelector": {"matchLabels": {"apps": name}}, **resource},
        "inference": {"preset": {"name": preset}},
    }


def placement(name: str, selectors: list[dict[str, Any]], **policy: Any) -> dict[str, Any]:
    return {
        "apiVersion": "placement.kubernetes-fleet.io/v1beta1",
        "kind": "ClusterResourcePlacement",
        "metadata": {"name": name},
        "spec": {
            "resourceSelectors": selectors,
            "policy": {"placementType": "PickN", "numberOfClusters": 1, **policy},
        },
    }


def whole_namespace(name: str) -> dict[str, Any]:
    return {"group": "", "version": "v1", "kind": "Namespace", "name": name}

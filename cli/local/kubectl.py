"""kubectl against one cluster of the local fleet: what `up` applies, waits for and reads."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cli.local.binaries import Binaries
from cli.local.execute import execute
from cli.local.topology import Fleet

Manifest = Mapping[str, object]

_MANAGER: Final = "modelfleet-local"
_SLACK_SECONDS = 5.0
_APPLY_SECONDS = 120.0
"""All CRDs at once, on a server that has just started: far more than it takes on two cores."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    binary: Path
    kubeconfig: Path

    @classmethod
    def of(cls, fleet: Fleet, cluster: str, binaries: Binaries) -> "Kubectl":
        return cls(binaries["kubectl"], fleet.kubeconfig(cluster))

    async def run(self, *arguments: str, stdin: bytes = b"", deadline: float = 30.0) -> bytes:
        argv: list[str | Path] = [self.binary, "--kubeconfig", self.kubeconfig, *arguments]
        return await execute(argv, stdin=stdin, deadline=deadline)

    async def apply(self, manifests: Iterable[Manifest]) -> None:
        """Apply on the server: what is there already stays as it is."""
        stream = "\n---\n".join(json.dumps(manifest) for manifest in manifests)
        await self.run(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--validate=false",
            f"--field-manager={_MANAGER}",
            "--filename=-",
            stdin=stream.encode(),
            deadline=_APPLY_SECONDS,
        )

    async def apply_crds(self, folder: Path, *, deadline: float) -> None:
        """Apply every YAML file of a folder, and wait until all kinds are served."""
        crds = _documents(folder)
        if crds:
            await self.apply(crds)
            names = [f"crd/{crd['metadata']['name']}" for crd in crds]
            await self.wait("condition=Established", *names, deadline=deadline)

    async def wait(self, state: str, *names: str, namespace: str = "", deadline: float) -> None:
        """Wait for a state of named objects; `create` also for their coming into being."""
        scope = [f"--namespace={namespace}"] if namespace else []
        await self.run(
            "wait",
            f"--for={state}",
            f"--timeout={deadline:.0f}s",
            *scope,
            *names,
            deadline=deadline + _SLACK_SECONDS,
        )

    async def get(self, *arguments: str, deadline: float = 15.0) -> Any:
        return json.loads(await self.run("get", *arguments, "--output=json", deadline=deadline))


def _documents(folder: Path) -> list[Any]:
    return [
        document
        for file in sorted(folder.glob("*.yaml"))
        for document in yaml.load_all(file.read_bytes(), _Loader)
    ]


_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

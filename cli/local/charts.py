"""The programs' charts as the local fleet installs them: all but the pods, which are processes."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.charts import NAMESPACE, charts_folder
from cli.local.binaries import Binaries
from cli.local.execute import execute
from cli.local.topology import HUB, REGIONS, Fleet

_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Release:
    """A chart with its values on one cluster."""

    cluster: str
    chart: str
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Also of the ServiceAccount that the chart makes."""
        return f"modelfleet-{self.chart}"


def releases(fleet: Fleet, cluster: str) -> tuple[Release, ...]:
    """Return what is installed on a cluster."""
    if cluster == HUB:
        return (
            Release(
                HUB,
                "hub",
                {
                    "replicas": 0,
                    "guardRail": {"enabled": True},
                    "webhook": {"url": f"https://127.0.0.1:{fleet.ports(HUB).webhook}"},
                },
            ),
            Release(HUB, "gateway", {"replicas": 0, "gateway": {"scope": "global"}}),
        )
    hub = {"url": f"https://127.0.0.1:{fleet.ports(HUB).apiserver}"}
    regional = {"scope": "regional", "region": REGIONS[cluster], "cluster": cluster}
    return (
        Release(cluster, "member-agent", {"replicas": 0, "cluster": cluster, "hub": hub}),
        Release(cluster, "gateway", {"replicas": 0, "gateway": regional}),
    )


@dataclass(frozen=True, slots=True)
class Helm:
    """helm against one cluster of the fleet."""

    fleet: Fleet
    cluster: str
    binaries: Binaries

    async def install(self, release: Release) -> None:
        """Install or upgrade a release, unless this very chart is there with these values."""
        chart = charts_folder() / release.chart
        version, mark = _digest(chart, release), self._mark(release)
        if mark.exists() and mark.read_text() == version:
            return
        await self._run(
            "upgrade",
            release.name,
            chart,
            "--install",
            f"--namespace={NAMESPACE}",
            "--create-namespace",
            "--disable-openapi-validation",
            "--values=-",
            stdin=json.dumps(release.values).encode(),
        )
        mark.write_text(version)

    def _mark(self, release: Release) -> Path:
        """Lies with the cluster, and goes when it is made anew."""
        return self.fleet.cluster_home(self.cluster) / f"{release.name}.installed"

    async def _run(self, *arguments: str | Path, stdin: bytes) -> None:
        folder = self.fleet.home / "helm"
        homes = {f"HELM_{name}_HOME": str(folder) for name in ("CACHE", "CONFIG", "DATA")}
        # What a user has told his own helm is of his own clusters.
        foreign = {name: "" for name in os.environ if name.startswith("HELM_")}
        argv = [self.binaries["helm"], *arguments]
        argv += ["--kubeconfig", self.fleet.kubeconfig(self.cluster)]
        await execute(argv, environ=foreign | homes, stdin=stdin, deadline=_SECONDS)


def _digest(chart: Path, release: Release) -> str:
    """Name a chart's files and values: any other gives another name."""
    digest = hashlib.sha256(json.dumps(release.values, sort_keys=True).encode())
    for file in sorted(path for path in chart.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(chart)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()

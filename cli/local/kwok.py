"""Control planes by kwokctl's binary runtime: written down, made, started, ended."""

import asyncio
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from cli.local import procfs
from cli.local.binaries import Binaries
from cli.local.errors import PortInUseError
from cli.local.execute import execute
from cli.local.topology import ENGINE_IMAGE, HUB, MARK, Fleet

_SECONDS = 120.0
"""To make or start one cluster: two seconds alone, more when all of them start on few cores."""

_MADE: Final = "made-by-modelfleet"
"""Written when kwokctl has finished: a cluster without it was interrupted and is made anew."""

_NO_CONTROLLERS: Final = (
    # They would put pods' loopback addresses into Endpoints, which the API server refuses.
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
)
_FLAGS: Final[Mapping[str, Mapping[str, str]]] = {
    # A local fleet may be lost with its machine; it may not keep the disk busy.
    "etcd": {
        "unsafe-no-fsync": "true",
        "snapshot-count": "5000",
        # As kubeadm has it, only rarer: without it a watch of a kind that rests gets no bookmarks.
        "watch-progress-notify-interval": "20s",
    },
    "kube-apiserver": {
        # Without a route out there is no other address to advertise, and nobody asks for it.
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "profiling": "false",
    },
    "kube-controller-manager": {
        "leader-elect": "false",
        # Otherwise every controller is system:masters, and no guard rail can be tested.
        "use-service-account-credentials": "true",
        "controllers": ",".join(["*", *(f"-{name}" for name in _NO_CONTROLLERS)]),
        "profiling": "false",
    },
    "kube-scheduler": {"leader-elect": "false", "profiling": "false"},
}
_NOT_ON_HUB: Final = ("kube-scheduler", "kwok-controller")
_CONTROL_PLANE: Final = "control-plane"
_API: Final = "config.kwok.x-k8s.io/v1alpha1"


def configuration(fleet: Fleet, cluster: str, binaries: Binaries) -> list[Mapping[str, object]]:
    """Return the documents of a cluster's configuration file for kwokctl."""
    ports = fleet.ports(cluster)
    options = {
        "runtime": "binary",
        "bindAddress": "127.0.0.1",
        "kubeApiserverPort": ports.apiserver,
        "etcdPort": ports.etcd,
        "etcdPeerPort": ports.etcd_peer,
        "kubeControllerManagerPort": ports.controller_manager,
        "kubeSchedulerPort": ports.scheduler,
        "kwokControllerPort": ports.kwok,
        "etcdBinary": str(binaries["etcd"]),
        "kubeApiserverBinary": str(binaries["kube-apiserver"]),
        "kubeControllerManagerBinary": str(binaries["kube-controller-manager"]),
        "kubeSchedulerBinary": str(binaries["kube-scheduler"]),
        "kubectlBinary": str(binaries["kubectl"]),
        "kwokControllerBinary": str(binaries["kwok"]),
        "disableQPSLimits": True,
        # No pod runs on the hub: it has no nodes.
        **({"disable": list(_NOT_ON_HUB)} if cluster == HUB else {}),
        **({} if cluster == HUB else {"enableCRDs": ["Logs", "PortForward"]}),
    }
    patches = [
        {"name": name, "extraArgs": [{"key": k, "value": v} for k, v in flags.items()]}
        for name, flags in _FLAGS.items()
    ]
    return [
        {
            "kind": "KwokctlConfiguration",
            "apiVersion": _API,
            "options": options,
            "componentsPatches": patches,
        },
        *stages(),
    ]


def stages() -> list[Mapping[str, object]]:
    """Return what kwok plays: pods of an engine's image are the node runner's."""
    text = Path(__file__).with_name("stages.yaml").read_text()
    engines = f'.spec.containers[].image | select(test("(^|/){ENGINE_IMAGE}([:@]|$)"))'
    return list(yaml.safe_load_all(text.replace("ENGINES,", f"'{engines}',")))


class ControlPlane:
    """One cluster of the fleet as kwokctl keeps it."""

    def __init__(self, fleet: Fleet, cluster: str, binaries: Binaries) -> None:
        self._fleet = fleet
        self._cluster = cluster
        self._binaries = binaries
        self._home = fleet.cluster_home(cluster)

    async def start(self) -> None:
        """Make the cluster, or start what of it does not run.

        Raises PortInUseError with the name of who listens on one of its ports.
        """
        if (self._home / _MADE).exists():
            self._forget_dead()
            await self._check_ports()
            await self._kwokctl("start", "cluster")
        else:
            await self._make()

    async def _make(self) -> None:
        await kill(self._fleet, self._cluster)
        await self._check_ports()
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
        config = self._fleet.config / f"{self._cluster}.yaml"
        documents = configuration(self._fleet, self._cluster, self._binaries)
        config.write_text(yaml.safe_dump_all(documents, sort_keys=False))
        # kwokctl's own entry in ~/.kube/config is left out: that file is the user's.
        await self._kwokctl("create", "cluster", "--config", config, "--kubeconfig", "")
        (self._home / _MADE).touch()

    async def _kwokctl(self, verb: str, noun: str, *more: str | Path) -> None:
        environ = {
            **self._binaries.environ,
            "KWOK_WORKDIR": str(self._fleet.kwok),
            MARK: self._fleet.mark(self._cluster, _CONTROL_PLANE),
        }
        argv = [self._binaries["kwokctl"], verb, noun, "--name", self._cluster, *more]
        await execute(argv, environ=environ, deadline=_SECONDS)

    async def _check_ports(self) -> None:
        running = components(self._fleet, self._cluster)
        for name, ports in ports_of(self._fleet, self._cluster).items():
            for port in ports if not running.get(name) else ():
                if holder := await procfs.holder(port):
                    who = f"{self._cluster}'s {name}"
                    raise PortInUseError(f"port {port} of {who} is in use by {holder}")

    def _forget_dead(self) -> None:
        """Remove pids that are zombies or somebody else's: kwokctl would wait for them."""
        for file in (self._home / "pids").glob("*.pid"):
            if component(self._home, file) is None:
                file.unlink()


def component(home: Path, pid_file: Path) -> procfs.Process | None:
    """Return the process in a pid file of kwokctl, if that component still runs."""
    try:
        process = procfs.find(int(pid_file.read_text()))
    except (FileNotFoundError, ValueError):
        return None
    program = str(home / "bin" / pid_file.stem)
    return process if process and procfs.executable(process.pid) == program else None


def components(fleet: Fleet, cluster: str) -> dict[str, procfs.Process | None]:
    """Return the cluster's components by name, with the processes of those that run."""
    home = fleet.cluster_home(cluster)
    programs: Iterable[Path] = sorted((home / "bin").glob("*"))
    return {
        program.name: component(home, home / "pids" / f"{program.name}.pid") for program in programs
    }


def ports_of(fleet: Fleet, cluster: str) -> dict[str, tuple[int, ...]]:
    """Return the ports that each component of a cluster listens on."""
    ports = fleet.ports(cluster)
    listens = {
        "etcd": (ports.etcd, ports.etcd_peer),
        "kube-apiserver": (ports.apiserver,),
        "kube-controller-manager": (ports.controller_manager,),
        "kube-scheduler": (ports.scheduler,),
        "kwok-controller": (ports.kwok,),
    }
    return {name: p for name, p in listens.items() if cluster != HUB or name not in _NOT_ON_HUB}


async def kill(fleet: Fleet, cluster: str) -> None:
    """End a cluster's components at once, as a power cut would."""
    running = [process for process in components(fleet, cluster).values() if process]
    await procfs.kill(running)
    # One that was just started has no pid file yet.
    await procfs.kill(procfs.marked(MARK, fleet.mark(cluster, _CONTROL_PLANE)))
    for file in (fleet.cluster_home(cluster) / "pids").glob("*.pid"):
        file.unlink(missing_ok=True)

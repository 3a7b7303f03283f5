"""A real kube-apiserver with its etcd, on free loopback ports, that a test may lose."""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from fleet.kube.config import Connection
from fleet.kube.credentials import Token
from fleet.testing.audit import AUDITED, POLICY
from fleet.testing.guardian import Guardian

STARTING_SECONDS: Final = 60.0
GARBAGE_PERCENT: Final = "300"
"""Memory for CPU: a server of a test is small and short-lived, and there are many."""
ADMIN: Final = "admin"
NOBODY: Final = "nobody"
"""Tokens are the names of their users: nothing but a test ever believes them."""
REPLICAS: Final = ("first", "second")
"""Admins whose writes are audited."""
USERS: Final = {ADMIN: "system:masters", NOBODY: "nobodies"} | dict.fromkeys(
    REPLICAS, f"system:masters,{AUDITED}"
)


class NoServerError(Exception):
    """There is no API server to test against; the message says why."""


def binaries(environ: Mapping[str, str]) -> Path:
    """Find the folder with etcd and kube-apiserver."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [cache / "modelfleet" / "binaries" / "current"]
    if assets := environ.get("KUBEBUILDER_ASSETS"):
        places.insert(0, Path(assets))
    if found := shutil.which("kube-apiserver"):
        places.append(Path(found).parent)
    for place in places:
        if all(os.access(place / name, os.X_OK) for name in ("etcd", "kube-apiserver")):
            return place
    raise NoServerError(f"no etcd and kube-apiserver in {', '.join(map(str, places))}")


class ApiServer:
    """Two processes and a folder; `kill` and `start` may be called at any time."""

    def __init__(self, home: Path, programs: Path) -> None:
        self.home, self._programs = home, programs
        self.port, self.etcd_port, self._peer_port = _free_ports(3)
        self.etcd_seen_at = self.etcd_port
        """Where the API server looks for etcd: a test may stand between, from before the start."""
        self._etcd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._guardian = Guardian()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self.home / "certs" / "apiserver.crt")

    @property
    def etcd_data(self) -> Path:
        return self.home / "etcd"

    @property
    def audit_log(self) -> Path:
        return self.home / "audit.log"

    def connection(self, token: str = ADMIN) -> Connection:
        return Connection(server=self.url, ca_file=self.ca_file, credentials=Token(token))

    def kubeconfig(self, user: str = ADMIN) -> dict[str, Any]:
        cluster = {"server": self.url, "certificate-authority": self.ca_file}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": user}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": user}}],
            "current-context": "here",
        }

    def start(self) -> None:
        """Start what does not run, and wait until it answers."""
        if self._etcd is None:
            self._etcd = self._run("etcd", *self._etcd_flags())
        if self._server is None:
            (self.home / "users.csv").write_text(_users(), encoding="utf-8")
            (self.home / "audit.yaml").write_text(POLICY, encoding="utf-8")
            self._server = self._run("kube-apiserver", *self._server_flags())
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._ready():
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise NoServerError(self._last_words())
            time.sleep(0.05)

    def kill(self) -> None:
        """Lose the API server as a machine that breaks loses it; its data stay in etcd."""
        self._end(self._server)
        self._server = None

    @contextmanager
    def full(self) -> Iterator[None]:
        """Have etcd refuse every write, as one does whose quota is used up."""
        alarm = {"memberID": 0, "alarm": "NOSPACE"}
        self._ask_etcd("maintenance/alarm", {"action": "ACTIVATE", **alarm})
        try:
            yield
        finally:
            self._ask_etcd("maintenance/alarm", {"action": "DEACTIVATE", **alarm})

    def forget_history(self) -> None:
        """Compact etcd and lose the server's memory: older versions are answered with 410."""
        self.kill()
        revision = self._ask_etcd("kv/range", {"key": "AA=="})["header"]["revision"]
        self._ask_etcd("kv/compaction", {"revision": revision, "physical": True})
        self.start()

    def forget_name(self) -> None:
        """Stop, and keep all but what clusters are told apart by: a copy will be another one."""
        self.kill()
        key = b64encode(b"/registry/namespaces/kube-system").decode()
        self._ask_etcd("kv/deleterange", {"key": key})
        self.stop()

    def forget_everything(self) -> None:
        """Lose etcd too, as when a cluster is made again under its old address."""
        self.stop()
        shutil.rmtree(self.etcd_data)
        self.start()

    def stop(self) -> None:
        self.kill()
        self._end(self._etcd)
        self._etcd = None

    def close(self) -> None:
        self.stop()
        self._guardian.close()

    def _run(self, program: str, *flags: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{program}.log").open("ab") as log:
            process = subprocess.Popen(
                [self._programs / program, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                env={"GOGC": GARBAGE_PERCENT, **os.environ},
                start_new_session=True,
            )
        self._guardian.guard(process.pid)
        return process

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is not None:
            process.kill()
            process.wait()
            self._guardian.release(process.pid)

    def _etcd_flags(self) -> tuple[str, ...]:
        peer = f"http://127.0.0.1:{self._peer_port}"
        return (
            f"--data-dir={self.etcd_data}",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )

    def _server_flags(self) -> tuple[str, ...]:
        certs = self.home / "certs"
        return (
            f"--etcd-servers=http://127.0.0.1:{self.etcd_seen_at}",
            f"--cert-dir={certs}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--service-account-signing-key-file={certs / 'apiserver.key'}",
            f"--service-account-key-file={certs / 'apiserver.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.home / 'users.csv'}",
            f"--audit-policy-file={self.home / 'audit.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--profiling=false",
            "--shutdown-watch-termination-grace-period=0s",
        )

    @property
    def _etcd_url(self) -> str:
        return f"http://127.0.0.1:{self.etcd_port}"

    def _ready(self) -> bool:
        try:
            trust = ssl.create_default_context(cafile=self.ca_file)
            admin = {"Authorization": f"Bearer {ADMIN}"}
            return httpx.get(f"{self.url}/readyz", headers=admin, verify=trust).is_success
        except (OSError, httpx.HTTPError):
            return False

    def _ask_etcd(self, what: str, question: Mapping[str, object]) -> Any:
        return httpx.post(f"{self._etcd_url}/v3/{what}", json=question).raise_for_status().json()

    def _last_words(self) -> str:
        logs = [self.home / f"{name}.log" for name in ("etcd", "kube-apiserver")]
        said = [path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in logs]
        return "the API server did not start:\n" + "\n".join(said)


def _users() -> str:
    users = enumerate(USERS.items())
    return "".join(f'{name},{name},{number},"{groups}"\n' for number, (name, groups) in users)


@contextmanager
def api_server(environ: Mapping[str, str], etcd_data: Path | None = None) -> Iterator[ApiServer]:
    """Run an API server of one's own, with a copy of what another's etcd held.

    NoServerError where there are no binaries.
    """
    with unstarted(environ) as server:
        if etcd_data is not None:
            shutil.copytree(etcd_data, server.etcd_data)
        server.start()
        yield server


@contextmanager
def unstarted(environ: Mapping[str, str]) -> Iterator[ApiServer]:
    """Have an API server that is still to be started; with the end of the block it ends."""
    programs = binaries(environ)
    with tempfile.TemporaryDirectory(prefix="modelfleet-apiserver-") as home:
        server = ApiServer(Path(home), programs)
        try:
            yield server
        finally:
            server.close()


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    return _free_ports(1)[0]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for made in sockets:
        made.bind(("127.0.0.1", 0))
    ports = [made.getsockname()[1] for made in sockets]
    for made in sockets:
        made.close()
    return ports

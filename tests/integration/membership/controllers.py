"""The controllers of Kubernetes that empty deleted namespaces and collect what has no owner."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.testing.apiserver import ApiServer, binaries

CONTROLLERS = "namespace-controller,garbage-collector-controller"


@contextmanager
def running_controllers(server: ApiServer, kubeconfig: Path) -> Iterator[None]:
    """Run each as an account of its own: admins pass every policy."""
    program = binaries(os.environ) / "kube-controller-manager"
    flags = [
        f"--kubeconfig={kubeconfig}",
        f"--controllers={CONTROLLERS}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={server.home / 'certs' / 'apiserver.key'}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]
    log = kubeconfig.with_name("controllers.log")
    with log.open("ab") as file:
        process = subprocess.Popen([program, *flags], stdout=file, stderr=file)
    try:
        yield
    finally:
        process.kill()
        process.wait()

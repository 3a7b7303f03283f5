"""As whom the fleet's programs run."""

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.local_fleet import LocalFleet

CLOUD_AND_KUBELET = ("-karpenter", "-runner")
"""What stands for them is admin, as they are."""


def test_no_program_of_ours_runs_as_admin(whole_fleet: LocalFleet) -> None:
    programs = [p for p in whole_fleet.status()["processes"] if not p["controlPlane"]]
    ours = [p for p in programs if not p["name"].endswith(CLOUD_AND_KUBELET)]
    assert len(ours) == 8
    for program in ours:
        (user,) = _kubeconfig(program["pid"])["users"]
        assert user["name"].startswith("modelfleet-"), program
        assert user["user"].keys() == {"tokenFile"}, program


def _kubeconfig(pid: int) -> Any:
    """Read what a running process was given."""
    environ = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    given = dict(line.partition("=")[::2] for line in environ)
    return yaml.safe_load(Path(given["KUBECONFIG"]).read_text(encoding="utf-8"))

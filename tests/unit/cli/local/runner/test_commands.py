"""A container's words become a process: variables put in, paths of volumes replaced."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.local.runner.commands import command, own_variables, programs
from cli.local.runner.expansion import expand, relocate
from tests.unit.cli.local.runner.builders import engine, pod

PLACES = {"/mnt/config": "/p/volumes/config", "/mnt": "/p/volumes/all", "/dev/shm": "/p/shm"}  # noqa: S108


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(MODEL)", "phi"),
        ("a $(MODEL) b $(MODEL)", "a phi b phi"),
        ("$(OTHER)", "$(OTHER)"),
        ("$$(MODEL)", "$(MODEL)"),
        ("$$", "$"),
        ("$MODEL ${MODEL} $(", "$MODEL ${MODEL} $("),
    ],
)
def test_variables_are_put_in_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"MODEL": "phi"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--config=/mnt/config/a.yaml", "--config=/p/volumes/config/a.yaml"),
        ("/mnt/config", "/p/volumes/config"),
        ("cat /mnt/config/a /mnt/b", "cat /p/volumes/config/a /p/volumes/all/b"),
        ("/mnt/configuration", "/p/volumes/all/configuration"),
        ("/srv/mnt/config", "/srv/mnt/config"),
        ("'/mnt/config'", "'/p/volumes/config'"),
        ("/mnt-2", "/mnt-2"),
    ],
)
def test_a_mounted_path_is_where_its_files_are(text: str, expected: str) -> None:
    assert relocate(text, PLACES) == expected


def test_a_container_without_a_command_has_the_image_s() -> None:
    container = engine(args=["org/$(MODEL)", "--config", "/mnt/config/a"])
    made = command(container, {"MODEL": "phi"}, PLACES, {"HOME": "/p"})
    assert made.argv == ("vllm", "serve", "org/phi", "--config", "/p/volumes/config/a")
    assert made.environ == {"MODEL": "phi", "HOME": "/p"}


def test_a_variable_sees_those_before_it_and_ours_are_not_replaced() -> None:
    container = engine(command=["run", "$(B)"])
    given = {"A": "1", "B": "$(A)$(C)", "C": "2", "HOME": "/root"}
    made = command(container, given, {}, {"HOME": "/p"})
    assert made.argv == ("run", "1$(C)")
    assert made.environ == {"A": "1", "B": "1$(C)", "C": "2", "HOME": "/p"}


def test_a_pod_knows_its_address() -> None:
    own = own_variables(pod(), "127.1.0.1", Path("/p"), "/bin")
    assert (own["LOCAL_ENGINE_BIND"], own["HOSTNAME"], own["PATH"]) == (
        "127.1.0.1",
        "phi-0",
        "/bin",
    )


@pytest.mark.parametrize(
    "line",
    [
        ["vllm", "serve", "--port", "x", "m"],
        ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "m", "--port", "x"],
    ],
)
def test_the_image_s_programs_are_the_local_engine(tmp_path: Path, line: list[str]) -> None:
    for name, script in programs(sys.executable).items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [str(tmp_path / line[0]), *line[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--port: 'x'" in done.stdout

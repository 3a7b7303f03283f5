"""Adapters that cannot be served are refused by the field that is wrong; others are fetched."""

import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan.adapters import PULL
from tests.unit.member_agent.controllers.workspace.member import phi
from tests.unit.member_agent.controllers.workspace.plan.sight import config, engine, refused

PRESET = {"preset": {"name": "phi-4-mini-instruct"}}
CRANE = '#!/bin/sh\n[ "$1 $2" = "export example/sql:1" ] && exec cp "$STORE" "$3"\n'


def adapted(*sources: dict[str, Any] | None, strength: str = "1.0", **more: Any) -> Workspace:
    adapters = [{"source": source, "strength": strength} for source in sources]
    return phi(inference=PRESET | {"adapters": adapters} | more)


def image(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "example/sql:1", **more}


FIRST = "inference.adapters[0]"
REFUSED = {
    "no source": (adapted(None), f"{FIRST}.source: Source must be specified"),
    "no name": (adapted({"image": "x"}), f"{FIRST}.source.name: '' must be a DNS subdomain"),
    "a name with a line": (adapted(image("sql\n")), f"{FIRST}.source.name: 'sql\\n' must be"),
    "a name in capitals": (adapted(image("SQL")), f"{FIRST}.source.name: 'SQL' must be"),
    "the second": (adapted(image("a"), image("b_")), "inference.adapters[1].source.name: 'b_'"),
    "URLs": (adapted(image("a", urls=["http://x"])), f"{FIRST}.source.urls: adapters are not"),
    "nowhere": (adapted({"name": "a"}), f"{FIRST}.source: give either an image or a volume"),
    "both": (adapted(image("a", volumeSource={})), f"{FIRST}.source: give either an image"),
    "half strength": (
        adapted(image("a"), strength="0.5"),
        f"{FIRST}.strength: vLLM does not support adapter strength; leave it out, or 1.0",
    ),
    "twins": (adapted(image("a"), image("a")), "Duplicate adapter source name found: a"),
    "too many": (
        adapted(*(image(f"a{index}") for index in range(11))),
        "Number of Adapters exceeds the maximum limit, maximum of 10 allowed",
    ),
    "the model's own name": (adapted(image("phi-4-mini-instruct")), "give the adapter another"),
    "a template": (
        phi(inference={"template": {"spec": {}}, "adapters": [{"source": image("a")}]}),
        "inference.adapters: adapters go with a preset",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_adapters_are_refused_by_the_field_that_is_wrong(name: str) -> None:
    workspace, told = REFUSED[name]
    refusal = refused(workspace)
    assert told in refusal.message
    assert refusal.final


@pytest.mark.parametrize("setting", ["lora-modules: [{name: a, path: b}]", "enable_lora: false"])
def test_a_config_that_would_take_adapters_away_is_refused(setting: str) -> None:
    settings = config(f"vllm: {{{setting}}}")
    refusal = refused(adapted(image("sql"), config="tuned"), config=settings)
    assert "inference.config sets" in refusal.message
    assert engine(phi(inference=PRESET | {"config": "tuned"}), config=settings)


def test_a_puller_puts_the_folder_of_an_image_where_the_engine_finds_it(tmp_path: Path) -> None:
    data, store, place = tmp_path / "data", tmp_path / "store.tar", tmp_path / "adapter/sql"
    data.mkdir()
    (data / "adapter_config.json").write_text("{}")
    with tarfile.open(store, "w") as archive:
        archive.add(data, "data")
        archive.add(data, "etc")
    assert _pull(tmp_path, store, place) == 0
    assert _pull(tmp_path, store, place) == 0, "a pod whose start is tried again"
    assert [file.name for file in place.iterdir()] == ["adapter_config.json"]
    assert [one.name for one in place.parent.iterdir()] == ["sql"]


@pytest.mark.parametrize("content", ["etc", ""])
def test_a_puller_fails_where_there_is_no_adapter(tmp_path: Path, content: str) -> None:
    store = tmp_path / "store.tar"
    if content:
        with tarfile.open(store, "w") as archive:
            archive.addfile(tarfile.TarInfo(content))
    assert _pull(tmp_path, store, tmp_path / "adapter/sql") == 1


def _pull(folder: Path, store: Path, place: Path) -> int:
    """Run the puller's script with a crane that has one image."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    crane = programs / "crane"
    crane.write_text(CRANE)
    crane.chmod(0o755)
    known = {"IMAGE": "example/sql:1", "DIR": str(place), "STORE": str(store)}
    environ = {"PATH": f"{programs}:/usr/bin:/bin", **known}
    done = subprocess.run(["/bin/sh", "-c", PULL], env=environ, check=False, capture_output=True)
    return done.returncode

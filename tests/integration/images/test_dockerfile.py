"""What the Dockerfile says, and that what it names is there."""

import re
import tomllib

import pytest

from tests.integration.images.recipe import REPOSITORY, TARGETS, stages

PINNED = re.compile(r"^PYTHON_IMAGE=docker\.io/library/python:\d+\.\d+\.\d+-slim-[a-z]+$")


def test_every_stage_is_built_on_a_pinned_base_or_on_another_stage() -> None:
    found = stages()
    assert [arg for arg in found[""].all("ARG") if PINNED.match(arg)]
    names = list(found)
    bases = {name: stage.base for name, stage in found.items() if name}
    assert bases.pop("base") == "${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}}"
    for name, base in bases.items():
        assert base in names[: names.index(name)]
    assert [arg for arg in found["build"].all("ARG") if re.match(r"UV_VERSION=\d+\.\d+\.\d+$", arg)]


def test_whatever_is_copied_is_there_and_goes_to_the_engine() -> None:
    found = stages()
    sent = (REPOSITORY / ".dockerignore").read_text().splitlines()
    for name, stage in found.items():
        for copy in stage.copies():
            assert copy.stage in ("", *list(found)[: list(found).index(name)])
            for source in copy.sources if not copy.stage else ():
                assert (REPOSITORY / source).exists()
                assert f"!{source}" in sent


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_and_holds_only_what_was_built_for_it(target: str) -> None:
    stage = stages()[target]
    assert stage.last("USER") == "65532:65532"
    assert {copy.stage for copy in stage.copies()} == {f"build-{target}"}
    assert stage.command("ENTRYPOINT")[1:] == ["-m", target.replace("-", "_")]
    port = stage.last("EXPOSE")
    assert stage.command("HEALTHCHECK")[-1] == f"http://127.0.0.1:{port}/healthz"
    assert stage.last("ENV").endswith(f"_LISTEN=0.0.0.0:{port}")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_the_versions_that_the_extra_asks_for(target: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    asked = {*project["project"]["dependencies"], *extras["kube"], *extras[target]}
    held = [each for each in groups[target] if isinstance(each, str)]
    assert {*groups["image"], *held} <= asked

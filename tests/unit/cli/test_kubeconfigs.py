"""Which way leads to a member's cluster."""

from pathlib import Path

import pytest
import yaml

from cli.kubeconfigs import Access, NoContextError, access, named_contexts
from cli.local.registry import Registry, state_folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config"
    contexts = [{"name": name, "context": {"cluster": name}} for name in ("us", "prod-eu")]
    path.write_text(yaml.safe_dump({"kind": "Config", "contexts": contexts}))
    return str(path)


def test_a_context_that_is_named_like_the_member_leads_to_it(
    config: str, environ: dict[str, str]
) -> None:
    assert access("us", config, {}, environ) == Access(config, "us")


def test_a_context_that_was_named_goes_before_it(config: str, environ: dict[str, str]) -> None:
    assert access("us", config, {"us": "prod-eu"}, environ) == Access(config, "prod-eu")


def test_a_local_fleet_s_members_have_kubeconfigs_of_their_own(
    config: str, environ: dict[str, str]
) -> None:
    fleet = Registry(state_folder(environ)).create("local", ("us",))
    found = access("us", str(fleet.kubeconfig("hub")), {}, environ)
    assert found == Access(str(fleet.kubeconfig("us")))
    assert access("us", config, {}, environ) == Access(config, "us")


@pytest.mark.parametrize("named", ["eu", "nonesuch"])
def test_no_way_is_said_with_those_that_there_are(
    config: str, environ: dict[str, str], named: str
) -> None:
    with pytest.raises(NoContextError, match=r"--context eu=CONTEXT.*prod-eu, us"):
        access("eu", config, {"eu": named}, environ)


@pytest.mark.parametrize("text", ["us", "=prod", "us="])
def test_half_a_pair_is_named(text: str) -> None:
    with pytest.raises(NoContextError, match=f"--context {text} is not MEMBER=CONTEXT"):
        named_contexts([text])


def test_pairs_name_a_context_for_each_member() -> None:
    assert named_contexts(["us=a=b", "eu=c"]) == {"us": "a=b", "eu": "c"}

"""Which hub is read: the one given, the local fleet's that is named, the user's, or the local."""

from pathlib import Path

import pytest

from cli.hub_access import NoHubError, hub_kubeconfig
from cli.local.registry import Registry, state_folder

GIVEN = "/else/where"


class Home:
    """A user's home, with a kubeconfig and local fleets in it or without."""

    def __init__(self, folder: Path) -> None:
        self.usual = folder / ".kube" / "config"
        self.environ = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}

    def has_kubeconfig(self) -> None:
        self.usual.parent.mkdir()
        self.usual.touch()

    def has_fleet(self, name: str) -> None:
        Registry(state_folder(self.environ)).create(name, ("us",))

    def found(self, given: str = "", **environ: str) -> str:
        path = hub_kubeconfig(given, self.environ | environ)
        parts = Path(path).relative_to(self.usual.parents[1]).parts
        return "usual" if parts[0] == ".kube" else parts[3]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize(
    ("kubeconfig", "fleets", "named", "expected"),
    [
        (True, ["local", "bench"], "bench", "bench"),
        (True, ["local"], "local", "local"),
        (True, ["local"], "", "usual"),
        (True, [], "", "usual"),
        (False, ["local", "bench"], "", "local"),
    ],
    ids=[
        "a fleet that is named goes before the user's kubeconfig",
        "the default fleet too where it is named",
        "the user's kubeconfig goes before a fleet that is only there",
        "there may be no fleet",
        "the default fleet is the last",
    ],
)
def test_the_nearest_hub_is_taken(
    home: Home, kubeconfig: bool, fleets: list[str], named: str, expected: str
) -> None:
    for fleet in fleets:
        home.has_fleet(fleet)
    if kubeconfig:
        home.has_kubeconfig()
    assert home.found(MODELFLEET_FLEET=named) == expected


def test_what_is_given_goes_before_all_others_and_need_not_be_there(home: Home) -> None:
    home.has_fleet("bench")
    home.has_kubeconfig()
    assert hub_kubeconfig(GIVEN, home.environ | {"MODELFLEET_FLEET": "bench"}) == GIVEN


def test_a_fleet_that_is_named_and_not_there_is_not_replaced_by_another_hub(home: Home) -> None:
    home.has_kubeconfig()
    home.has_fleet("local")
    with pytest.raises(NoHubError, match="no local fleet bench, which MODELFLEET_FLEET names"):
        home.found(MODELFLEET_FLEET="bench")


def test_without_any_hub_one_is_told_what_to_do(home: Home) -> None:
    with pytest.raises(NoHubError, match="say --kubeconfig FILE, or run `modelfleet up`"):
        home.found()
    with pytest.raises(NoHubError, match=str(home.usual)):
        home.found()

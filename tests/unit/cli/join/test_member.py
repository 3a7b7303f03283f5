"""What helm refuses, in words that say what to do."""

from cli.join.invitation import CRDS, helm
from cli.join.member import explained
from cli.local.errors import CommandError

WORDS = helm(CRDS, "/opt/charts")
FOREIGN = "invalid ownership metadata; label validation error: missing key"


def test_kinds_of_somebody_else_are_taken_over_by_people_alone() -> None:
    said = str(explained(CommandError(f"`helm` failed: {FOREIGN}"), WORDS))
    assert "`helm upgrade --install modelfleet-crds /opt/charts/crds" in said
    assert said.endswith("--create-namespace --take-ownership` and join again")


def test_all_else_is_said_as_helm_says_it() -> None:
    error = CommandError("`helm` failed: no such chart")
    assert explained(error, WORDS) is error

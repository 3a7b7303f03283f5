"""The commands of the documentation that install a chart are taken by Helm and by its schema."""

import re
import shlex

import pytest
import yaml

from tests.integration.charts.rendering import CHARTS, Helm
from tests.unit.docs.pages import ROOT, Command, commands

INSTALLING = ["helm", "upgrade", "--install"]
NEEDS = {"charts/member-agent": ["--set=hub.ca=-----BEGIN CERTIFICATE-----"]}
"""What stands in a file that a reader has and a test has not."""
ONE_CLUSTER = (
    ("hub", "modelfleet-hub"),
    ("gateway", "modelfleet-hub"),
    ("gateway", "modelfleet-system", "--set=gateway.scope=regional", "--set=gateway.cluster=home"),
    (
        "member-agent",
        "modelfleet-system",
        *NEEDS["charts/member-agent"],
        "--set=cluster=home",
        "--set=hub.url=https://hub",
    ),
)
"""Charts, namespaces and values of a hub whose cluster is a member too."""
ALERT = re.compile(r"alert: (\w+)")
DOCUMENTED = sorted({c for c in commands() if shlex.split(c.line)[:3] == INSTALLING})


@pytest.mark.parametrize("command", DOCUMENTED, ids=lambda c: f"{c.page}: {c.line}")
def test_a_chart_takes_what_a_reader_is_told_to_set(helm: Helm, command: Command) -> None:
    words = shlex.split(command.line)[3:]
    (chart,) = (word for word in words if word.startswith("charts/"))
    given = [str(ROOT / word) if word == chart else word for word in _without_files(words)]
    done = helm.run("template", *given, *NEEDS.get(chart, []))
    assert done.returncode == 0, done.stderr


def _without_files(words: list[str]) -> list[str]:
    files = [place for place, word in enumerate(words) if word == "--set-file"]
    left_out = {at for place in files for at in (place, place + 1)}
    return [word for place, word in enumerate(words) if place not in left_out]


def test_a_hub_and_a_member_in_one_cluster_have_no_object_in_common(helm: Helm) -> None:
    written: list[tuple[str, str, str]] = []
    for chart, namespace, *values in ONE_CLUSTER:
        release, at = f"modelfleet-{chart}", f"--namespace={namespace}"
        done = helm.run("template", release, str(CHARTS / chart), at, *values)
        assert done.returncode == 0, done.stderr
        for body in filter(None, yaml.safe_load_all(done.stdout)):
            metadata = body["metadata"]
            written.append((body["kind"], metadata.get("namespace", ""), metadata["name"]))
    assert len(written) > len(ONE_CLUSTER)
    assert len(set(written)) == len(written)


def test_every_alert_is_explained_under_its_name() -> None:
    rules = [path.read_text() for path in CHARTS.glob("*/templates/prometheusrule.yaml")]
    alerts = {name for text in rules for name in ALERT.findall(text)}
    page = (ROOT / "docs" / "operations" / "alerts.md").read_text()
    assert len(alerts) >= 5
    assert alerts == set(re.findall(r"^## (\w+)$", page, re.MULTILINE))

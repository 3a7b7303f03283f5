"""What the charts write is what Helm, Kubernetes and our programs take."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import gateway.settings
import hub.settings
import member_agent.settings
from cli.local.binaries import Binaries
from fleet.testing.apiserver import ApiServer
from fleet.testing.kinds import CRDS
from tests.integration.charts.kubectl import Kubectl
from tests.integration.charts.rendering import (
    CHARTS,
    NAMESPACE,
    PROGRAMS,
    Helm,
    Installation,
    access,
    installations,
)
from tools.charts import files

EVERY = tuple(installations())
PROGRAMS_OWN = tuple(found for found in EVERY if found.chart != "crds")
MOST_OF_A_RELEASE = 1024 * 1024
"""Bytes that a Secret holds, and Helm keeps a release in one."""
ODD = "a template such as {{ .Name }} or {{- end }}"
ACCEPTED = (
    "apply",
    "--server-side",
    "--dry-run=server",
    "--validate=strict",
    "--warnings-as-errors",
    "--filename=-",
)
RESTRICTED = "pod-security.kubernetes.io/warn=restricted"
"""A server warns then of pods with more rights than a container can do without."""


@pytest.fixture(scope="module")
def others_kinds(kubectl: Kubectl, programs: Binaries) -> Kubectl:
    """kubectl for a server that serves what our charts write for others."""
    others = sorted(programs["others-crds"].glob("*.yaml"))
    kubectl.run("create", "namespace", NAMESPACE)
    kubectl.run("label", "namespace", NAMESPACE, RESTRICTED)
    kubectl.run("apply", "--server-side", *(f"--filename={file}" for file in others))
    kubectl.run("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    return kubectl


@pytest.mark.parametrize("installation", EVERY, ids=str)
def test_helm_finds_nothing_to_say(helm: Helm, installation: Installation) -> None:
    done = helm.run("lint", "--strict", *installation.arguments)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("chart", PROGRAMS)
def test_the_suites_of_a_chart_pass(programs: Binaries, chart: str) -> None:
    argv: list[str | Path] = [programs["helm-unittest"], "--strict", CHARTS / chart]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("installation", PROGRAMS_OWN, ids=str)
def test_an_api_server_takes_every_object(
    helm: Helm, others_kinds: Kubectl, installation: Installation
) -> None:
    objects = helm.render(installation)
    said = others_kinds.run(*ACCEPTED, text=yaml.safe_dump_all(objects))
    assert len(said.splitlines()) == len(objects)


def test_the_kinds_are_upgraded_as_they_are_written_and_outlive_their_release(
    helm: Helm, empty_server: ApiServer, kubectl: Kubectl, tmp_path: Path
) -> None:
    chart = tmp_path / "crds"
    shutil.copytree(CHARTS / "crds", chart)
    release = ("modelfleet-crds", "--namespace=default", *access(empty_server))
    helm.succeed("upgrade", "--install", *release, str(chart))
    secret = kubectl.run("get", "secret", "sh.helm.release.v1.modelfleet-crds.v1", "-o", "json")
    assert len(secret) < MOST_OF_A_RELEASE
    written = {file.stem for file in (chart / "templates").glob("*.yaml")}
    change(chart / "templates" / "modelfleet.dev_modelservices.yaml")
    helm.succeed("upgrade", *release, str(chart))
    helm.succeed("uninstall", *release)
    kept = json.loads(kubectl.run("get", "crd", "-o", "json"))["items"]
    ours = {f"{k['spec']['group']}_{k['spec']['names']['plural']}": k["spec"] for k in kept}
    assert ours.keys() >= written
    (version,) = ours["modelfleet.dev_modelservices"]["versions"]
    assert version["schema"]["openAPIV3Schema"]["description"] == ODD


def change(template: Path) -> None:
    """Write a definition with braces into a template as `make generate` does."""
    definition = yaml.safe_load((CRDS / template.name).read_text())
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = ODD
    template.write_text(files.template(yaml.safe_dump(definition)))


def test_everything_renders_every_template(helm: Helm) -> None:
    for chart in PROGRAMS:
        values = CHARTS / chart / "ci" / "everything-values.yaml"
        kinds = {found["kind"] for found in helm.render(Installation(chart, values))}
        expected = {"NetworkPolicy", "PodDisruptionBudget", "ServiceMonitor", "PrometheusRule"}
        assert kinds >= expected, chart


@dataclass(frozen=True, slots=True)
class Program:
    prefix: str
    settings: Any
    read: Callable[[Mapping[str, str]], object]


READ: Mapping[str, Program] = {
    "hub": Program("HUB_", hub.settings.Settings, partial(hub.settings.settings, ())),
    "member-agent": Program(
        "MEMBER_AGENT_",
        member_agent.settings.Settings,
        partial(member_agent.settings.settings, ()),
    ),
    "gateway": Program("GATEWAY_", gateway.settings.Settings, gateway.settings.read),
}


@pytest.mark.parametrize("installation", PROGRAMS_OWN, ids=str)
def test_a_program_takes_every_setting_that_it_is_given(
    helm: Helm, installation: Installation
) -> None:
    (deployment,) = [o for o in helm.render(installation) if o["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    program = READ[installation.chart]
    known = {f"{program.prefix}{field.name}".upper() for field in fields(program.settings)}
    given = {entry["name"]: entry.get("value", "from-a-field") for entry in container["env"]}
    assert {name for name in given if name.startswith(program.prefix)} <= known
    assert isinstance(program.read(given), program.settings)


@pytest.mark.parametrize("chart", PROGRAMS)
def test_the_defaults_of_the_settings_are_the_programs_own(chart: str) -> None:
    defaults = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())["settings"]
    program = READ[chart].settings()
    for name, value in defaults.items():
        own = getattr(program, "".join(f"_{c.lower()}" if c.isupper() else c for c in name))
        # How many cores there are is known to the program; a container has not all of them.
        assert value in {own, ""} or (chart, name) == ("gateway", "workers"), name

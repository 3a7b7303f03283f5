"""What `modelfleet explain` takes without a cluster, and how it names what it cannot take."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.__main__ import build
from tests.unit.cli.test_explain import DEPLOYMENT, FLEET, PLACEMENT, WORKSPACE, Shell, shell

__all__ = ["shell"]

INFERENCE_SET = """
apiVersion: kaito.sh/v1alpha1
kind: InferenceSet
metadata: {name: qwen, namespace: chat}
spec:
  replicas: 2
  labelSelector: {}
  template: {inference: {preset: {name: qwen2-7b}}}
"""
TEMPLATE = "template: {spec: {containers: [{name: a, resources: {limits: {nvidia.com/gpu: 1}}}]}}"
BOTH = WORKSPACE.replace("instruct}}", "instruct}, " + TEMPLATE + "}")
LOCAL = """
apiVersion: placement.kubernetes-fleet.io/v1beta1
kind: ResourcePlacement
metadata: {name: local, namespace: chat}
spec: {resourceSelectors: [SELECTOR], policy: {placementType: PickAll}}
"""


def words(result: Result) -> str:
    return " ".join(result.stderr.split())


def typed(*arguments: str, stdin: str = "", **environ: str) -> Result:
    line = ["explain", *arguments]
    return CliRunner().invoke(build(line), line, input=stdin, env=environ)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1\nc: 2", "it.yaml: is not YAML:"),
        ("a: 1\nb: [1\nc: 2", "line 3"),
        ("kind: List\nitems: [1]", "it.yaml, document 1: is not an object"),
        ("kind: List\nitems: 1", "it.yaml, document 1 (List without a name): items: is not a list"),
        (
            "---\n---\napiVersion: kaito.sh/v1beta1\nkind: Workspace\nmetadata: phi",
            "it.yaml, document 2 (Workspace without a name): metadata:",
        ),
        (BOTH, "inference: preset and template cannot be set at the same time"),
        (
            INFERENCE_SET.replace("2-7b}}", "2-7b}, " + TEMPLATE + "}"),
            "(InferenceSet qwen): spec.template.inference: preset and template cannot be set",
        ),
        (
            WORKSPACE.replace("inference: {preset: {name: phi-4-mini-instruct}}", "inference: {}"),
            "(Workspace phi): inference: preset or template is missing",
        ),
        (
            INFERENCE_SET.replace("qwen2-7b", "qwen2-7"),
            "spec.template.inference.preset.name: unknown preset 'qwen2-7'; did you mean qwen2-7b",
        ),
        (
            WORKSPACE.replace("phi-4-mini-instruct", "zzzzzz"),
            "unknown preset 'zzzzzz'; it is not in the catalogue",
        ),
        (
            DEPLOYMENT.replace("replicas: 3", "replicas: 1"),
            "(ModelDeployment qwen): spec.replicas: 1 is less than clusters.min, 2",
        ),
        (
            DEPLOYMENT.replace("min: 2", "min: 2, max: 1"),
            "(ModelDeployment qwen): spec.clusters: min, 2, is more than max, 1",
        ),
    ],
    ids=[
        "YAML",
        "line",
        "item",
        "items",
        "metadata",
        "two models",
        "two models of a set",
        "no model",
        "near names",
        "no near name",
        "fewer replicas than clusters",
        "least above most",
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(shell: Shell, text: str, message: str) -> None:
    result = shell.explain(text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in words(result)
    assert len(result.stderr.splitlines()) == 1


def test_near_names_are_offered_before_far_ones(shell: Shell) -> None:
    said = words(shell.explain(WORKSPACE.replace("phi-4-mini-instruct", "phi-4-mini-instrct")))
    near = said.partition("did you mean ")[2].removesuffix("?").split(" or ")
    assert near[0] == "phi-4-mini-instruct"


@pytest.mark.parametrize("unreadable", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_named(shell: Shell, unreadable: str) -> None:
    path = str(shell.folder / unreadable)
    good, fleet = shell.write("it.yaml", WORKSPACE), str(shell.folder / "fleet.yaml")
    for files in (["-f", path, "--fleet", fleet], ["-f", good, "--fleet", path]):
        result = typed(*files)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"{path}: ")


def test_bytes_that_are_no_text_are_named(shell: Shell) -> None:
    (shell.folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    result = shell.explain(WORKSPACE, "-f", str(shell.folder / "bytes.yaml"))
    assert result.exit_code == 1
    assert "bytes.yaml: is not YAML:" in words(result)


def test_manifests_may_come_from_standard_input(shell: Shell) -> None:
    fleet = str(shell.folder / "fleet.yaml")
    result = typed("-f", "-", "--fleet", fleet, "-o", "json", stdin=WORKSPACE)
    assert json.loads(result.stdout)["placements"] == shell.data(WORKSPACE)


def test_several_files_are_one_question(shell: Shell) -> None:
    placement = shell.write("placement.yaml", PLACEMENT)
    (found,) = json.loads(shell.explain(WORKSPACE, "-f", placement, "-o", "json").stdout)[
        "placements"
    ]
    assert found["placement"] == "ClusterResourcePlacement chat"
    assert [demand["name"] for demand in found["demands"]] == ["phi"]


def test_without_a_fleet_and_without_a_hub_one_is_told_how_to_name_one(
    shell: Shell, tmp_path: Path
) -> None:
    file = shell.write("it.yaml", WORKSPACE)
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "KUBECONFIG": ""}
    result = typed("-f", file, **home, MODELFLEET_FLEET="")
    assert result.exit_code == 1
    assert "say --kubeconfig FILE, or run `modelfleet up`" in words(result)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("chat", "chat"),
        ("placement", "placement"),
        ("placement chat", "chat"),
        ("placements/chat", "chat"),
        ("crp chat", "chat"),
        ("ResourcePlacement chat", "chat"),
        ("pod chat", ""),
        ("rp/x/y", ""),
        ("placement chat other", ""),
    ],
)
def test_a_placement_is_named_with_or_without_its_kind(given: str, name: str) -> None:
    result = typed(*given.split(), "--fleet", "fleet.yaml")
    asked = f"{name} is asked of the hub" if name else f"{given} is no placement"
    assert (result.exit_code, asked in words(result)) == (1, True)


@pytest.mark.parametrize("more", [["-f", "it.yaml"], ["--fleet", "fleet.yaml"]])
def test_a_placement_of_the_hub_and_files_are_two_questions(more: list[str]) -> None:
    result = typed("chat", *more)
    assert result.exit_code == 1
    assert "-f and --fleet are for files, and chat is asked of the hub" in words(result)


def test_a_gpu_that_nobody_has_is_the_reason_everywhere_and_no_error(shell: Shell) -> None:
    text = DEPLOYMENT.replace("qwen2-7b", "qwen2-7b, resources: {gpuTypes: [B9000]}")
    (found,) = shell.data(text)
    assert (found["fulfilled"], found["message"]) == (
        False,
        "clusters that are lacking: 2; replicas without room: 3",
    )
    reasons = {c["cluster"]: (c["rejectedBy"], c["reason"]) for c in found["clusters"]}
    assert set(reasons) == {"us", "eu", "old"}
    assert set(reasons.values()) == {("gpu-fit", "qwen2-7b: has no B9000")}
    table = shell.explain(text)
    assert (table.exit_code, "on B9000" in table.stdout) == (0, True)
    assert table.stdout.splitlines()[-1] == found["message"]


FILTERS = dict.fromkeys(
    [
        "eligibility",
        "failover",
        "cluster-affinity",
        "taint-toleration",
        "namespace-affinity",
        "gpu-fit",
    ],
    True,
)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_a_program_reads_has_every_field_of_every_cluster(shell: Shell, form: str) -> None:
    printed = shell.explain(WORKSPACE, "-o", form).stdout
    document = json.loads(printed) if form == "json" else yaml.safe_load(printed)
    (found,) = document["placements"]
    parts = {"placement", "fulfilled", "message", "leaving", "why", "demands", "clusters"}
    assert set(found) == parts
    other = "score -383 against -393"
    assert found["why"] == {"winner": "eu", "runnerUp": "us", "reason": other}
    by_name = {cluster.pop("cluster"): cluster for cluster in found["clusters"]}
    chosen, rejected = by_name["eu"], by_name["old"]
    (allocation,) = chosen.pop("allocations")
    assert {check["name"]: check["passes"] for check in chosen.pop("filters")} == FILTERS
    refused = [check for check in rejected["filters"] if not check["passes"]]
    assert [(c["name"], c["reason"]) for c in refused] == [("gpu-fit", rejected["reason"])]
    assert chosen == {
        "region": "northeurope",
        "chosen": True,
        "rejectedBy": None,
        "reason": "chosen",
        "usdPerHour": "3.84",
        "score": -383,
        "preferences": [],
        "parts": {"topology": 0, "affinity": 0, "price": -384, "headroom": 1},
    }
    assert (allocation["instanceType"], allocation["usdPerHour"]) == (
        "Standard_NV36ads_A10_v5",
        "3.84",
    )
    assert (rejected["rejectedBy"], rejected["allocations"]) == ("gpu-fit", [])
    assert [rejected[key] for key in ("chosen", "usdPerHour", "score")] == [False, None, None]


def test_an_unknown_form_is_refused_with_the_known_ones(shell: Shell) -> None:
    result = shell.explain(WORKSPACE, "-o", "xml")
    assert result.exit_code == 2
    assert all(form in result.stderr for form in ("json", "yaml", "table"))


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("group: kaito.sh, kind: Workspace", ["phi"]),
        ("group: kaito.sh, kind: Workspace, name: phi", ["phi"]),
        ("group: kaito.sh, kind: Workspace, name: other", []),
        ("group: kaito.sh, kind: InferenceSet", ["qwen"]),
        ("group: kaito.sh, kind: Workspace, labelSelector: {matchLabels: {a: b}}", ["phi"]),
        ("group: kaito.sh, kind: Workspace, labelSelector: {matchLabels: {a: c}}", []),
        ('group: "", kind: Namespace, name: chat', []),
    ],
)
def test_a_placement_within_a_namespace_has_the_demand_of_what_it_selects(
    shell: Shell, selector: str, selected: list[str]
) -> None:
    labelled = WORKSPACE.replace("namespace: chat", "namespace: chat, labels: {a: b}")
    other = WORKSPACE.replace("name: phi, namespace: chat", "name: phi, namespace: other")
    placement = LOCAL.replace("SELECTOR", f"{{version: v1, {selector}}}")
    found = shell.data(f"{labelled}---{other}---{INFERENCE_SET}---{placement}")
    placed = next(one for one in found if one["placement"].startswith("ResourcePlacement"))
    assert [demand["name"] for demand in placed["demands"]] == selected


@pytest.mark.parametrize(
    ("namespace", "selector", "count"),
    [
        ("", "name: chat", 1),
        ("", "name: chat, selectionScope: NamespaceOnly", 0),
        ("labels: {team: a}", "labelSelector: {matchLabels: {team: a}}", 1),
        ("labels: {team: b}", "labelSelector: {matchLabels: {team: a}}", 0),
        ("", "labelSelector: {matchLabels: {team: a}}", 0),
    ],
    ids=["by name", "without its content", "by label", "another label", "labels nobody knows"],
)
def test_a_placement_has_the_demand_of_the_namespaces_it_selects(
    shell: Shell, namespace: str, selector: str, count: int
) -> None:
    space = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: chat, {namespace}}}"
    placement = PLACEMENT.replace("name: chat}]", selector + "}]")
    parts = [WORKSPACE, *([space] if namespace else []), placement]
    found = shell.data("\n---\n".join(parts))
    assert len(found[0]["demands"]) == count


def test_a_fixed_policy_names_the_cluster_that_cannot_be_taken(shell: Shell) -> None:
    policy = "policy: {placementType: PickFixed, clusterNames: [us, nowhere]}"
    fixed = PLACEMENT.replace("policy: {placementType: PickN, numberOfClusters: 2}", policy)
    (found,) = shell.data(WORKSPACE + fixed)
    assert [c["cluster"] for c in found["clusters"] if c["chosen"]] == ["us"]
    assert found["message"] == "cannot be taken: nowhere"


def test_a_namespace_may_be_given_for_manifests_without_one(shell: Shell) -> None:
    text = WORKSPACE.replace(", namespace: chat", "")
    titles = {
        more: json.loads(shell.explain(text, *more, "-o", "json").stdout)["placements"][0]
        for more in ((), ("-n", "team"))
    }
    assert titles[()]["placement"].startswith("Workspace default/phi")
    assert titles["-n", "team"]["placement"].startswith("Workspace team/phi")


def test_a_fleet_in_a_file_is_as_of_its_last_heartbeat_however_long_ago(shell: Shell) -> None:
    old = FLEET.replace("2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
    fleet = shell.write("old.yaml", old)
    result = shell.explain(WORKSPACE, "--fleet", fleet, "-o", "json")
    (found,) = json.loads(result.stdout)["placements"]
    assert found["fulfilled"]

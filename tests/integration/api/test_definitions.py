"""Every kind is served in every version of its, as its table says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api.cluster import InternalMemberCluster, InternalMemberClusterStatus
from fleet.api.core import Namespace
from fleet.api.crd.kinds import KINDS, Kind
from fleet.api.objects import Metadata
from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.kube.errors import NotServedError, RejectedError
from tests.integration.api.manifests import Manifest, inference_set, placement, workspace

EXAMPLES = [
    file
    for file in sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))
    if "apiVersion:" in file.read_text(encoding="utf-8")
]
"""Those of objects; a gateway without Kubernetes reads a file of its own."""
NOON = "2026-01-01T12:00:00Z"
APPLIED = {
    "type": "Applied",
    "status": "True",
    "reason": "Applied",
    "message": "",
    "lastTransitionTime": NOON,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model.crd())
async def test_a_kind_is_served_in_its_versions_and_no_other(client: ApiClient, kind: Kind) -> None:
    model = kind.model
    for version in kind.versions:
        found = await client.dynamic.resource_for(f"{model.group()}/{version}", model.kind())
        assert (found.plural, found.namespaced) == (model.plural(), model.NAMESPACED)
    for version in {"v1", "v1alpha1", "v1beta1"} - set(kind.versions):
        with pytest.raises(NotServedError):
            await client.dynamic.resource_for(f"{model.group()}/{version}", model.kind())


async def test_the_older_version_leaves_out_what_it_never_had(client: ApiClient) -> None:
    strategy = {"deleteStrategy": {}, "reportBackStrategy": {"type": "Disabled"}}
    new = await client.dynamic.create(placement("newer", strategy=strategy))
    assert new["spec"]["strategy"].keys() >= strategy.keys()
    old = await client.dynamic.create(placement("older", "v1", strategy=strategy))
    assert old["spec"]["strategy"].keys() == {"type"}


async def test_a_workspace_is_the_same_in_both_versions(client: ApiClient) -> None:
    partition = {"mode": "mig", "profile": "1g.10gb"}
    nodes = {"labelSelector": {}, "partition": partition}
    made = await client.dynamic.create(workspace("both-versions", resource=nodes))
    older = await client.dynamic.resource_for("kaito.sh/v1alpha1", "Workspace")
    seen = await client.dynamic.get(older, key_of(made))
    assert seen is not None
    assert seen["resource"]["partition"] == partition


async def test_a_status_may_lose_all_that_its_maps_held(client: ApiClient) -> None:
    """A member whose last node goes reports no resources any more."""
    made = await client.create(_membership("emptied"))
    told = await client.patch_status(made, _usage(cpu="1"))
    assert told.status.resource_usage.capacity == {"cpu": "1"}
    told = await client.patch_status(made, _usage())
    assert told.status.resource_usage.capacity == {}
    assert told.status.properties == {}


def _usage(**resources: str) -> InternalMemberClusterStatus:
    values = {name: {"value": value, "observationTime": NOON} for name, value in resources.items()}
    usage = {"capacity": resources, "allocatable": resources, "available": resources}
    return InternalMemberClusterStatus.model_validate(
        {"resourceUsage": {**usage, "observationTime": NOON}, "properties": values}
    )


def _membership(name: str) -> InternalMemberCluster:
    return InternalMemberCluster.model_validate(
        {"metadata": {"name": name, "namespace": "default"}, "spec": {"state": "Join"}}
    )


async def test_an_inference_set_scales(client: ApiClient) -> None:
    made = await client.dynamic.create(inference_set("scaled"))
    resource = await client.dynamic.resource_for(made["apiVersion"], made["kind"])
    changed = await client.dynamic.merge_patch(
        resource, key_of(made), {"spec": {"replicas": 3}}, subresource="scale"
    )
    assert changed["kind"] == "Scale"
    seen = await client.dynamic.get(resource, key_of(made))
    assert seen is not None
    assert seen["spec"]["replicas"] == 3


async def test_a_works_manifests_are_whole_objects(client: ApiClient) -> None:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    made = await client.dynamic.create(work("whole", whole))
    assert made["spec"]["workload"]["manifests"] == [whole]
    with pytest.raises(RejectedError, match=r"manifests\[0\].kind"):
        await client.dynamic.create(work("part", {"apiVersion": "v1", "metadata": {"name": "a"}}))


async def test_a_status_needs_no_metadata_to_be_reported_back(client: ApiClient) -> None:
    made = await client.dynamic.create(work("reported"))
    resource = await client.dynamic.resource_for(made["apiVersion"], made["kind"])
    seen = {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "status": {"state": "Ready"}}
    manifest = {
        "identifier": {"ordinal": 0},
        "conditions": [APPLIED],
        "backReportedStatus": {"observedStatus": seen, "observationTime": NOON},
    }
    status = {"conditions": [APPLIED], "manifestConditions": [manifest]}
    reported = await client.dynamic.merge_patch(
        resource, key_of(made), {"status": status}, subresource="status"
    )
    (kept,) = reported["status"]["manifestConditions"]
    assert kept["backReportedStatus"]["observedStatus"] == seen


def work(name: str, *manifests: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "placement.kubernetes-fleet.io/v1beta1",
        "kind": "Work",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"workload": {"manifests": list(manifests)}},
    }


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
async def test_an_example_applies_as_it_stands(client: ApiClient, file: Path) -> None:
    for manifest in documents(file):
        metadata = {"namespace": "default"} | manifest["metadata"]
        await client.apply(Namespace(metadata=Metadata(name=metadata["namespace"])), force=True)
        applied = await client.dynamic.apply(manifest | {"metadata": metadata})
        assert applied["kind"] == manifest["kind"]


def documents(file: Path) -> list[Manifest]:
    found = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    return [item for each in found for item in each.get("items", [each])]

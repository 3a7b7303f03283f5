"""Who writes in an older version of a kind keeps nobody from writing the fields that it lacks."""

from typing import Any

from fleet.api.cluster import MemberCluster, MemberClusterStatus
from fleet.api.objects import Key, Metadata
from fleet.api.staged_update import ClusterStagedUpdateRun, UpdateRunStatus
from fleet.kube.client import ApiClient

CLUSTERS, PLACEMENTS = "cluster.kubernetes-fleet.io", "placement.kubernetes-fleet.io"
HELD = ("modelfleet.dev/held",)
AGENT = {"identity": {"kind": "ServiceAccount", "name": "agent", "namespace": "older"}}
ALPHA = {
    "placementName": "a",
    "resourceSnapshotIndex": "0",
    "stagedRolloutStrategyName": "b",
}


async def test_a_cluster_of_v1_says_which_namespaces_it_has(client: ApiClient) -> None:
    key, hub = Key("", "older"), client.as_manager("hub")
    await _made_by_a_person(client, f"{CLUSTERS}/v1", "MemberCluster", AGENT)
    made = await client.get(MemberCluster, key)
    assert made
    for space in ("models", "others"):
        said = MemberClusterStatus.model_validate({"namespaces": {space: ""}})
        assert (await hub.patch_status(made, said)).status.namespaces == {space: ""}
    assert await _books(client, f"{CLUSTERS}/v1beta1", "MemberCluster") == {
        ("person", f"{CLUSTERS}/v1beta1"),
        ("hub", f"{CLUSTERS}/v1beta1"),
    }
    await client.delete(made)


async def test_a_run_of_v1alpha1_is_held_and_reported_on(client: ApiClient) -> None:
    hub, key = client.as_manager("hub"), Key("", "older")
    await _made_by_a_person(client, f"{PLACEMENTS}/v1alpha1", "ClusterStagedUpdateRun", ALPHA)
    made = await client.get(ClusterStagedUpdateRun, key)
    assert made
    metadata = Metadata(name=made.name, uid=made.metadata.uid, finalizers=HELD)
    held = await hub.apply(ClusterStagedUpdateRun.model_construct(metadata=metadata))
    assert held.metadata.finalizers == HELD
    said = UpdateRunStatus(resource_snapshot_index_used="0")
    assert (await hub.patch_status(made, said)).status == said
    await hub.apply(ClusterStagedUpdateRun.model_construct(metadata=Metadata(name=made.name)))
    await client.delete(made)


async def _made_by_a_person(client: ApiClient, api: str, kind: str, spec: Any) -> None:
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": "older"}, "spec": spec}
    await client.as_manager("person").dynamic.create(body)


async def _books(client: ApiClient, api: str, kind: str) -> set[tuple[str, str]]:
    resource = await client.dynamic.resource_for(api, kind)
    body = await client.dynamic.get(resource, Key("", "older"))
    assert body
    return {(each["manager"], each["apiVersion"]) for each in body["metadata"]["managedFields"]}

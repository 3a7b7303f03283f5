"""Where a workload's pods are looked for."""

from cli.logs.places import Place, allocated, serving
from fleet.api.binding import ClusterResourceBinding
from fleet.api.service import ModelEndpoint


def binding(cluster: str, *workloads: tuple[str, str, str]) -> ClusterResourceBinding:
    allocations = [
        {
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "instanceType": "x",
            "gpusPerReplica": 1,
            "usdPerHour": "1",
        }
        for kind, namespace, name in workloads
    ]
    decision = {"clusterName": cluster, "selected": True, "reason": "cheapest"}
    return ClusterResourceBinding.model_validate(
        {
            "metadata": {"name": cluster},
            "spec": {
                "state": "Bound",
                "targetCluster": cluster,
                "resourceSnapshotName": "",
                "clusterDecision": decision,
                "allocations": allocations,
            },
        }
    )


def endpoint(cluster: str, *owners: tuple[str, str]) -> ModelEndpoint:
    references = [
        {"apiVersion": "kaito.sh/v1beta1", "kind": kind, "name": name, "uid": "1"}
        for kind, name in owners
    ]
    return ModelEndpoint.model_validate(
        {
            "metadata": {
                "name": f"e-{cluster}",
                "namespace": "chat",
                "ownerReferences": references,
            },
            "spec": {"service": "phi", "url": "http://127.0.0.1:1", "cluster": cluster},
        }
    )


def test_it_is_where_instances_were_given_to_it() -> None:
    bindings = [
        binding("us", ("Workspace", "chat", "phi"), ("Workspace", "chat", "other")),
        binding("eu", ("InferenceSet", "chat", "phi")),
        binding("apac", ("Workspace", "elsewhere", "phi")),
    ]
    assert list(allocated(bindings, "phi", "chat")) == [
        Place("us", "kaito.sh/workspace=phi"),
        Place("eu", "inferenceset.kaito.sh/created-by=phi"),
    ]


def test_it_is_where_it_serves_though_nothing_was_given_to_it() -> None:
    endpoints = [
        endpoint("us", ("Workspace", "phi")),
        endpoint("eu", ("Workspace", "other")),
        endpoint("", ("Workspace", "phi")),
        endpoint("apac", ("Person", "phi")),
    ]
    assert list(serving(endpoints, "phi")) == [Place("us", "kaito.sh/workspace=phi")]

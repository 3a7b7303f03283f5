"""Whether an applied object does what it is there for, as far as its kind lets us know."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from member_agent.controllers.work.plan.manifests import CONFIG_KINDS

Body = Mapping[str, Any]


class Availability(StrEnum):
    AVAILABLE = "Available"
    NOT_YET = "ManifestNotAvailableYet"
    UNTRACKABLE = "NotTrackable"


class Finding(NamedTuple):
    availability: Availability
    message: str = ""


AVAILABLE: Final = Finding(Availability.AVAILABLE, "Manifest is available")
UNTRACKABLE: Final = Finding(
    Availability.UNTRACKABLE, "Manifest is applied; its kind does not say whether it works"
)
INFERENCE_CONDITIONS: Final = {
    "Workspace": "WorkspaceSucceeded",
    "InferenceSet": "InferenceSetReady",
}
"""The condition by which each inference kind says that it serves."""


def availability(body: Body) -> Finding:
    """Judge an object by its own status, of its current generation only."""
    group = body["apiVersion"].rpartition("/")[0]
    rule = RULES.get((group, body["kind"]))
    if rule:
        return rule(body)
    return AVAILABLE if body["kind"] in CONFIG_KINDS else UNTRACKABLE


def _not_yet(message: str) -> Finding:
    return Finding(Availability.NOT_YET, message)


def _is(done: bool, message: str) -> Finding:
    return AVAILABLE if done else _not_yet(message)


def _outdated(body: Body) -> bool:
    observed = _status(body).get("observedGeneration", 0)
    return bool(observed < body["metadata"].get("generation", 0))


def _status(body: Body) -> Mapping[str, Any]:
    return body.get("status") or {}


def _condition(body: Body, kind: str) -> Mapping[str, Any] | None:
    conditions = _status(body).get("conditions") or ()
    return next((condition for condition in conditions if condition["type"] == kind), None)


def _there(_body: Body) -> Finding:
    return AVAILABLE


def _replicas(*counters: str) -> Callable[[Body], Finding]:
    """Make a rule for workloads: all counters have reached the replicas that are wanted."""

    def rule(body: Body) -> Finding:
        wanted = (body.get("spec") or {}).get("replicas", 1)
        status = _status(body)
        least = min(status.get(counter, 0) for counter in counters)
        done = not _outdated(body) and least >= wanted
        return _is(done, f"{least} of {wanted} replicas are ready")

    return rule


def _daemon_set(body: Body) -> Finding:
    status = _status(body)
    wanted = status.get("desiredNumberScheduled", 0)
    least = min(status.get(name, 0) for name in ("numberAvailable", "updatedNumberScheduled"))
    return _is(not _outdated(body) and least >= wanted, f"{least} of {wanted} pods are ready")


def _service(body: Body) -> Finding:
    spec = body.get("spec") or {}
    if spec.get("type") == "LoadBalancer":
        return _is(bool(_status(body).get("loadBalancer", {}).get("ingress")), "it has no address")
    return _is(spec.get("type") == "ExternalName" or bool(spec.get("clusterIP")), "it has no IP")


def _definition(body: Body) -> Finding:
    condition = _condition(body, "Established")
    return _is(bool(condition and condition["status"] == "True"), "it is not established")


def _disruption_budget(body: Body) -> Finding:
    status = _status(body)
    healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return _is(not _outdated(body) and healthy >= wanted, f"{healthy} of {wanted} pods are healthy")


def _inference(body: Body) -> Finding:
    condition = _condition(body, INFERENCE_CONDITIONS[body["kind"]])
    generation = body["metadata"].get("generation", 0)
    if condition is None or condition.get("observedGeneration", 0) < generation:
        return _not_yet("its status does not speak of this generation yet")
    ready = condition["status"] == "True"
    return _is(ready, condition.get("message") or condition.get("reason", ""))


RULES: Final[Mapping[tuple[str, str], Callable[[Body], Finding]]] = {
    ("", "Namespace"): _there,
    ("", "Service"): _service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _replicas("updatedReplicas", "availableReplicas"),
    ("apps", "StatefulSet"): _replicas("updatedReplicas", "availableReplicas"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("kaito.sh", "InferenceSet"): _inference,
    ("kaito.sh", "Workspace"): _inference,
    ("policy", "PodDisruptionBudget"): _disruption_budget,
}

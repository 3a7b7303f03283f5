"""What a Namespace takes along to a member, and what stays on the hub."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from fleet.api.deployment import ModelDeployment

HUB_GROUPS = frozenset(
    {
        "modelfleet.dev",
        "aitoolchain.io",
        "placement.kubernetes-fleet.io",
        "cluster.kubernetes-fleet.io",
        "networking.fleet.azure.com",
        "events.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "metrics.k8s.io",
    }
)
"""Kinds of the hub itself, and kinds that each cluster writes for itself."""
HUB_KINDS = frozenset({("", "Event"), ("", "Endpoints"), ("apps", "ControllerRevision")})
MADE_IN_EACH_NAMESPACE = frozenset(
    {("", "ConfigMap", "kube-root-ca.crt"), ("", "ServiceAccount", "default")}
)
ISSUED_FOR = "kubernetes.io/service-account.name"
RESERVED_NAMESPACES = ("fleet-", "kube-")


class Owner(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def controller(self) -> bool | None: ...


class Described(Protocol):
    """Metadata as far as it says where an object comes from."""

    @property
    def name(self) -> str: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...
    @property
    def owner_references(self) -> Sequence[Owner]: ...


def kind_stays(group: str, kind: str) -> bool:
    return group in HUB_GROUPS or (group, kind) in HUB_KINDS


def made_in_each(group: str, kind: str, meta: Described) -> bool:
    """Say of an object that each cluster makes its own, which another's would break."""
    issued = (group, kind) == ("", "Secret") and ISSUED_FOR in meta.annotations
    return issued or (group, kind, meta.name) in MADE_IN_EACH_NAMESPACE


def stays(group: str, kind: str, meta: Described) -> bool:
    """Say of an object that the member makes its own, or that it has a placement of its own."""
    if made_in_each(group, kind, meta):
        return True
    owners = meta.owner_references
    return any(owner.controller or owner.kind == ModelDeployment.kind() for owner in owners)


def reserved(namespace: str) -> bool:
    return namespace.startswith(RESERVED_NAMESPACES)

"""Decide what a member needs on the hub, and what goes when it leaves. Pure."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleet.api import names
from fleet.api.cluster import (
    ClusterState,
    InternalMemberCluster,
    InternalMemberClusterSpec,
    MemberCluster,
)
from fleet.api.conditions import find
from fleet.api.core import Namespace, Role, RoleBinding, ServiceAccount
from fleet.api.objects import Metadata, Resource
from fleet.api.work import Work

LABELS: Mapping[str, str] = {names.FLEET_RESOURCE: "true"}
LOOK_SECONDS = 5.0
"""Between looks at what keeps a namespace from going."""
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All that `plan` and `status` may look at, read once at the start of the reconcile."""

    name: str
    cluster: MemberCluster | None
    internal: InternalMemberCluster | None = None
    namespace: Namespace | None = None
    account: ServiceAccount | None = None
    role: Role | None = None
    role_binding: RoleBinding | None = None
    works: tuple[Work, ...] = ()
    """Read only when the member leaves."""
    vanished: bool = False
    """Whether its object is gone, past our finalizer, and what belongs to it is still there."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Label the cluster, and keep it until what belongs to it is gone."""

    cluster: MemberCluster


@dataclass(frozen=True, slots=True)
class Release:
    cluster: MemberCluster


@dataclass(frozen=True, slots=True)
class Make:
    """Write an object that is ours alone."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class SetState:
    internal: InternalMemberCluster
    state: ClusterState
    asked: datetime | None = None
    """When the agent was asked to leave."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Take the finalizers from a Work: the agent that would is not there any more."""

    work: Work


@dataclass(frozen=True, slots=True)
class Delete:
    resource: Resource


Action = Hold | Release | Make | SetState | Strip | Delete


@dataclass(frozen=True, slots=True)
class Plan:
    """Each step is done at the same time, and after the step before it."""

    steps: tuple[tuple[Action, ...], ...] = ()
    again: float | None = None
    """Seconds until time alone changes the plan."""


def plan(observed: Observed, *, now: datetime, force_after: timedelta) -> Plan:
    cluster = observed.cluster
    if cluster is None:
        return _abandoned(observed, now, force_after) if observed.vanished else Plan()
    if cluster.deleting:
        return _leave(observed, cluster, now, force_after)
    if observed.namespace is not None and observed.namespace.deleting:
        return Plan((tuple(_hold(observed, cluster)),))
    return Plan(
        (
            tuple(_hold(observed, cluster)),
            tuple(_differing([_namespace(cluster)], [observed.namespace])),
            tuple(_belongings(observed, cluster)),
        )
    )


def _hold(observed: Observed, cluster: MemberCluster) -> Iterator[Action]:
    labelled = cluster.metadata.labels.get(names.MEMBER_NAME) == observed.name
    if not labelled or names.MEMBER_CLUSTER_FINALIZER not in cluster.metadata.finalizers:
        yield Hold(cluster)


def _belongings(observed: Observed, cluster: MemberCluster) -> Iterator[Action]:
    wanted: list[Resource] = [_role(cluster), _role_binding(cluster)]
    there: list[Resource | None] = [observed.role, observed.role_binding]
    if _own_account(cluster):
        wanted.append(_account(cluster))
        there.append(observed.account)
    yield from _differing(wanted, there)
    if observed.internal and names.LEAVE_ASKED in observed.internal.metadata.annotations:
        yield SetState(observed.internal, ClusterState.JOIN)
    elif observed.internal is None or _differs(_internal(cluster), observed.internal):
        yield Make(_internal(cluster))


def _differing(wanted: list[Any], there: list[Any]) -> Iterator[Action]:
    for new, old in zip(wanted, there, strict=True):
        if old is None or _differs(new, old):
            yield Make(new)


def _differs(new: Resource, old: Resource) -> bool:
    """Compare what we write: a server adds its own to it."""
    if not new.metadata.labels.items() <= old.metadata.labels.items():
        return True
    mine = {k: v for k, v in new.dump().items() if k != "metadata"}
    there = old.model_dump(mode="json")
    return any(there.get(name) != value for name, value in mine.items())


def _namespace(cluster: MemberCluster) -> Namespace:
    name = names.member_namespace(cluster.name)
    return Namespace(metadata=Metadata(name=name, labels=LABELS))


def _metadata(cluster: MemberCluster, name: str) -> Metadata:
    namespace = names.member_namespace(cluster.name)
    return Metadata(name=name, namespace=namespace, labels=LABELS)


def _own_account(cluster: MemberCluster) -> bool:
    identity = cluster.spec.identity
    namespace = names.member_namespace(cluster.name)
    return identity.kind == "ServiceAccount" and identity.namespace == namespace


def _account(cluster: MemberCluster) -> ServiceAccount:
    return ServiceAccount(metadata=_metadata(cluster, cluster.spec.identity.name))


def _internal(cluster: MemberCluster) -> InternalMemberCluster:
    spec = InternalMemberClusterSpec(
        state=ClusterState.JOIN, heartbeat_period_seconds=cluster.spec.heartbeat_period_seconds
    )
    return InternalMemberCluster(metadata=_metadata(cluster, cluster.name), spec=spec)


def _role(cluster: MemberCluster) -> Role:
    """What an agent may do on the hub, and nothing else: a stolen one cannot place on others."""
    placement, membership = "placement.kubernetes-fleet.io", "cluster.kubernetes-fleet.io"
    rules = [
        _rule(placement, ["works"], ["get", "list", "watch", "patch"]),
        _rule(placement, ["works/status"], ["patch"]),
        _rule(membership, ["internalmemberclusters"], ["get", "list", "watch"]),
        _rule(membership, ["internalmemberclusters/status"], ["patch"]),
        _rule("", ["events"], ["create", "patch"]),
    ]
    if _own_account(cluster):
        account = cluster.spec.identity.name
        rules.append(_rule("", ["serviceaccounts/token"], ["create"], [account]))
    metadata = _metadata(cluster, f"fleet-role-{cluster.name}")
    return Role(metadata=metadata, rules=tuple(rules))


def _rule(
    group: str, resources: list[str], verbs: list[str], only: list[str] | None = None
) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": resources, "verbs": verbs}
    return rule | ({"resourceNames": only} if only else {})


def _role_binding(cluster: MemberCluster) -> RoleBinding:
    identity = cluster.spec.identity
    subject = {"kind": identity.kind, "name": identity.name}
    if identity.kind == "ServiceAccount":
        subject["namespace"] = identity.namespace
    else:
        subject["apiGroup"] = identity.api_group or RBAC
    return RoleBinding(
        metadata=_metadata(cluster, f"fleet-rolebinding-{cluster.name}"),
        role_ref={"apiGroup": RBAC, "kind": "Role", "name": f"fleet-role-{cluster.name}"},
        subjects=(subject,),
    )


def _leave(
    observed: Observed, cluster: MemberCluster, now: datetime, force_after: timedelta
) -> Plan:
    """Let the agent let go first, up to a time; the workloads stay on the member and run."""
    if observed.namespace is None:
        held = names.MEMBER_CLUSTER_FINALIZER in cluster.metadata.finalizers
        return Plan(((Release(cluster),),) if held else ())
    deleted = cluster.metadata.deletion_timestamp or now
    remaining = (deleted + force_after - now).total_seconds()
    if remaining > 0 and _lets_go(observed.internal):
        return Plan(tuple(_ask_to_leave(observed.internal, now)), remaining)
    return Plan(tuple(_clear(observed)), LOOK_SECONDS)


def _abandoned(observed: Observed, now: datetime, force_after: timedelta) -> Plan:
    """Who deleted the object and our finalizer meant it to go; only we say since when."""
    asked = _asked(observed.internal) or now
    remaining = (asked + force_after - now).total_seconds()
    if remaining > 0 and _lets_go(observed.internal):
        return Plan(tuple(_ask_to_leave(observed.internal, now)), remaining)
    return Plan(tuple(_clear(observed)), LOOK_SECONDS)


def _lets_go(internal: InternalMemberCluster | None) -> bool:
    """Say whether the agent is there to let go of what it applied."""
    return internal is not None and not internal.deleting and not _left(internal)


def _ask_to_leave(
    internal: InternalMemberCluster | None, now: datetime
) -> Iterator[tuple[Action, ...]]:
    if internal and (internal.spec.state is not ClusterState.LEAVE or not _asked(internal)):
        yield (SetState(internal, ClusterState.LEAVE, now),)


def _asked(internal: InternalMemberCluster | None) -> datetime | None:
    """Read when the agent was asked to leave, as far as anybody wrote it."""
    written = internal.metadata.annotations.get(names.LEAVE_ASKED, "") if internal else ""
    with suppress(ValueError):
        asked = datetime.fromisoformat(written)
        return asked if asked.tzinfo else None
    return None


def _clear(observed: Observed) -> Iterator[tuple[Action, ...]]:
    """Workloads stay: without its finalizer a Work takes nothing along."""
    yield tuple(Strip(work) for work in observed.works if work.metadata.finalizers)
    if observed.namespace and not observed.namespace.deleting:
        yield (Delete(observed.namespace),)


def _left(internal: InternalMemberCluster) -> bool:
    """Say whether the agent has left, or was never there."""
    agent = internal.status.agent
    if agent is None:
        return True
    joined = find(agent.conditions, "Joined")
    return joined is None or joined.false

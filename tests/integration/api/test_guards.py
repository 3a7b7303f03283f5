"""Guard rails leave to programs what they write, and keep workloads and accounts off the hub."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pytest
import pytest_asyncio
from typing_extensions import override

from fleet.api.objects import Key
from fleet.kube import wire
from fleet.kube.answers import MERGE_PATCH
from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.kube.errors import ForbiddenError
from fleet.kube.transport import Request, Transport
from fleet.testing.apiserver import ADMIN, NOBODY, ApiServer
from fleet.testing.waiting import until
from tests.integration.api.rows import TAKEN
from tests.integration.identity import NAMESPACE, render, token_of, user_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
FILES: Final = ("policy-guard.yaml", "policy-workloads.yaml")
VALUES: Final[Mapping[str, Any]] = {
    "guardRail": {"enabled": True, "users": ["trusted"]},
    "hubWorkloads": {"disruptionBudgetsRefused": True},
}
MEMBER: Final = "fleet-member-guarded"
HUB: Final = Key(NAMESPACE, "modelfleet-hub")
EMPTIER: Final = Key("kube-system", "namespace-controller")
COLLECTOR: Final = Key("kube-system", "generic-garbage-collector")
AGENT: Final = Key(MEMBER, "member-agent")
ACCOUNTS: Final = (HUB, EMPTIER, COLLECTOR, AGENT)
PLACEMENT: Final = "/apis/placement.kubernetes-fleet.io/v1beta1"
CLUSTER: Final = "/apis/cluster.kubernetes-fleet.io/v1beta1"
GUARDED: Final = f"/api/v1/namespaces/{MEMBER}"
TRIED: Final = {"dryRun": "All"}


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody with every right does, and words of what he is told."""

    who: str
    method: str
    path: str
    said: str = TAKEN
    body: Mapping[str, Any] | None = None

    @override
    def __str__(self) -> str:
        name = (self.body or {}).get("metadata", {}).get("name", "")
        return f"{self.who.rpartition(':')[2]} {self.method} {self.path} {name}"


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def refused(operation: str, kind: str, where: str) -> str:
    return (
        f"request: user: 'nobody' in 'groups: [nobodies system:authenticated]' is not allowed to"
        f" {operation} resource {kind}: {where}"
    )


LABELLED: Final = {"metadata": {"labels": {"a": "b"}}}
CRD: Final = "memberclusters.cluster.kubernetes-fleet.io"
CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PLACED: Final = {"apiVersion": "placement.kubernetes-fleet.io/v1beta1"}
WORK: Final = PLACED | named("chat-work", kind="Work", spec={})
BINDING: Final = PLACED | named(
    "chat-eu",
    kind="ClusterResourceBinding",
    spec={
        "state": "Bound",
        "targetCluster": "eu",
        "clusterDecision": {"clusterName": "eu", "selected": True, "reason": ""},
        "resourceSnapshotName": "",
        "schedulingPolicySnapshotName": "",
    },
)
CONTAINERS: Final = {"containers": [{"name": "a", "image": "a"}]}
POD: Final = named("web", spec=CONTAINERS)
REPLICAS: Final = named(
    "web",
    spec={
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": CONTAINERS},
    },
)
SETS: Final = "/apis/apps/v1/namespaces/{}/replicasets"
BUDGETS: Final = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"
DIRECTLY: Final = "cannot be directly created in the hub cluster due to potential side effects"
OFF: Final = "creation is disallowed in the fleet hub cluster"
OTHERS: Final = "writing service accounts in reserved namespaces or requesting tokens from such"
PERSON: Final = NOBODY
AGENT_USER, HUB_USER, EMPTIER_USER, COLLECTOR_USER = map(user_of, (AGENT, HUB, EMPTIER, COLLECTOR))
DEEDS: Final = (
    # Of a member's namespace.
    Deed(PERSON, "POST", "/api/v1/namespaces", TAKEN, named("open")),
    Deed(
        PERSON,
        "POST",
        "/api/v1/namespaces",
        refused("CREATE", "/v1, Kind=Namespace/", "/fleet-member-new"),
        named("fleet-member-new"),
    ),
    Deed(PERSON, "DELETE", GUARDED, refused("DELETE", "/v1, Kind=Namespace/", f"/{MEMBER}")),
    Deed(ADMIN, "POST", "/api/v1/namespaces", TAKEN, named("fleet-member-new")),
    Deed(HUB_USER, "POST", "/api/v1/namespaces", TAKEN, named("fleet-member-new")),
    Deed(EMPTIER_USER, "DELETE", GUARDED),
    # Of what lies in it.
    Deed(
        PERSON,
        "POST",
        f"{GUARDED}/configmaps",
        refused("CREATE", "/v1, Kind=ConfigMap/", f"{MEMBER}/a"),
        named("a"),
    ),
    Deed(AGENT_USER, "POST", f"{GUARDED}/secrets", "is not allowed to CREATE", named("a")),
    Deed(HUB_USER, "POST", f"{GUARDED}/configmaps", TAKEN, named("a")),
    Deed(COLLECTOR_USER, "DELETE", f"{GUARDED}/configmaps/held"),
    Deed(PERSON, "POST", "/api/v1/namespaces/default/configmaps", TAKEN, named("a")),
    Deed(
        PERSON,
        "POST",
        f"{PLACEMENT}/namespaces/{MEMBER}/works",
        refused(
            "CREATE", "placement.kubernetes-fleet.io/v1beta1, Kind=Work/", f"{MEMBER}/chat-work"
        ),
        WORK,
    ),
    Deed(
        PERSON,
        "POST",
        f"{PLACEMENT}/namespaces/default/works",
        "Kind=Work/: default/chat-work",
        WORK,
    ),
    Deed(HUB_USER, "POST", f"{PLACEMENT}/namespaces/{MEMBER}/works", TAKEN, WORK),
    # What an agent does.
    Deed(
        AGENT_USER,
        "PATCH",
        f"{PLACEMENT}/namespaces/{MEMBER}/works/held",
        TAKEN,
        {"metadata": {"finalizers": ["kubernetes-fleet.io/work-cleanup"]}},
    ),
    Deed(
        AGENT_USER,
        "PATCH",
        f"{PLACEMENT}/namespaces/{MEMBER}/works/held/status",
        TAKEN,
        {"status": {"conditions": []}},
    ),
    Deed(
        AGENT_USER,
        "PATCH",
        f"{CLUSTER}/namespaces/{MEMBER}/internalmemberclusters/guarded/status",
        TAKEN,
        {"status": {"properties": {}}},
    ),
    Deed(
        AGENT_USER,
        "PATCH",
        f"{CLUSTER}/namespaces/{MEMBER}/internalmemberclusters/guarded",
        "is not allowed to UPDATE resource cluster.kubernetes-fleet.io/v1beta1,",
        {"spec": {"state": "Leave"}},
    ),
    Deed(
        AGENT_USER,
        "POST",
        f"{GUARDED}/serviceaccounts/member-agent/token",
        TAKEN,
        {"spec": {}},
    ),
    Deed(
        AGENT_USER,
        "DELETE",
        f"{PLACEMENT}/namespaces/{MEMBER}/works/held",
        "is not allowed to DELETE",
    ),
    # Of what programs write elsewhere, and of definitions.
    Deed(
        PERSON,
        "POST",
        f"{PLACEMENT}/clusterresourcebindings",
        "Kind=ClusterResourceBinding/: /chat-eu",
        BINDING,
    ),
    Deed(HUB_USER, "POST", f"{PLACEMENT}/clusterresourcebindings", TAKEN, BINDING),
    Deed(PERSON, "PATCH", f"{CRDS}/{CRD}", f"Kind=CustomResourceDefinition/: /{CRD}", LABELLED),
    Deed(ADMIN, "PATCH", f"{CRDS}/{CRD}", TAKEN, LABELLED),
    # Of workloads on the hub, and of accounts in reserved namespaces.
    Deed(ADMIN, "POST", "/api/v1/namespaces/default/pods", f"Pod default/web {OFF}", POD),
    Deed(PERSON, "POST", SETS.format("default"), f"ReplicaSet default/web {OFF}.", REPLICAS),
    Deed(ADMIN, "POST", BUDGETS.format("default"), f"PDBs default/web {DIRECTLY}", named("web")),
    Deed(ADMIN, "POST", BUDGETS.format("kube-system"), TAKEN, named("web")),
    Deed(ADMIN, "POST", "/api/v1/namespaces/kube-system/pods", TAKEN, POD),
    Deed(ADMIN, "POST", f"/api/v1/namespaces/{NAMESPACE}/pods", TAKEN, POD),
    Deed(ADMIN, "POST", SETS.format("kube-system"), TAKEN, REPLICAS),
    Deed(PERSON, "POST", "/api/v1/namespaces/default/serviceaccounts", TAKEN, named("a")),
    Deed(PERSON, "POST", "/api/v1/namespaces/kube-system/serviceaccounts", OTHERS, named("a")),
    Deed(
        PERSON,
        "POST",
        "/api/v1/namespaces/kube-system/serviceaccounts/namespace-controller/token",
        OTHERS,
        {"spec": {}},
    ),
    Deed(AGENT_USER, "POST", "/api/v1/namespaces/kube-system/serviceaccounts", TAKEN, named("a")),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def users(server: ApiServer) -> AsyncIterator[Mapping[str, Transport]]:
    """Somebody of each sort, with every right, on a server with the guard rails."""
    async with AsyncExitStack() as stack:
        client = ApiClient(server.connection(), "test")
        stack.push_async_callback(client.close)
        for manifest in await _world():
            await _have(client, manifest, stack)
        tokens = {user_of(account): await token_of(client, account) for account in ACCOUNTS}
        found = {}
        for user, token in {ADMIN: ADMIN, NOBODY: NOBODY, **tokens}.items():
            found[user] = Transport(server.connection(token))
            stack.push_async_callback(found[user].close)
        for deed in DEEDS:
            if deed.said:
                await until(partial(said, found[deed.who], deed))
        yield found


async def _world() -> list[dict[str, Any]]:
    """What stands before anything is done; the guard rails come last."""
    inside = {"name": "held", "namespace": MEMBER}
    core: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": MEMBER}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": account.name, "namespace": account.namespace},
            }
            for account in ACCOUNTS
        ),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "guarded"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [
                {"kind": "User", "name": NOBODY},
                *({"kind": "ServiceAccount", **account._asdict()} for account in ACCOUNTS),
            ],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": inside},
        {
            "apiVersion": "placement.kubernetes-fleet.io/v1beta1",
            "kind": "Work",
            "metadata": inside,
            "spec": {},
        },
        {
            "apiVersion": "cluster.kubernetes-fleet.io/v1beta1",
            "kind": "InternalMemberCluster",
            "metadata": {"name": "guarded", "namespace": MEMBER},
            "spec": {"state": "Join"},
        },
    ]
    return core + await render("hub", NAMESPACE, FILES, VALUES)


async def _have(client: ApiClient, manifest: dict[str, Any], stack: AsyncExitStack) -> None:
    """Apply it until the end; namespaces stay, since nobody empties them here."""
    made = await client.dynamic.apply(manifest, force=True)
    resource = await client.dynamic.resource_for(made["apiVersion"], made["kind"])
    if made["kind"] != "Namespace":
        stack.push_async_callback(client.dynamic.delete, resource, key_of(made))


async def said(user: Transport, deed: Deed) -> str:
    """Return the policy's refusal, or TAKEN."""
    body = None if deed.body is None else wire.encode(deed.body)
    kind = MERGE_PATCH if deed.method == "PATCH" else "application/json"
    try:
        await user.send(Request(deed.method, deed.path, TRIED, body, kind))
    except ForbiddenError as refusal:
        return str(refusal)
    return TAKEN


@pytest.mark.parametrize("deed", DEEDS, ids=str)
async def test_a_guard_rail_lets_through_whose_duty_it_is(
    users: Mapping[str, Transport], deed: Deed
) -> None:
    answer = await said(users[deed.who], deed)
    assert deed.said in answer
    assert (deed.said == TAKEN) == (answer == TAKEN)

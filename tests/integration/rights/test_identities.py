"""What each of our programs may do, and what it may not, judged by the API server itself."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from fleet.api.names import member_namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ADMIN, ApiServer
from fleet.testing.waiting import until
from tests.integration.identity import (
    CONNECT_POLICY,
    NAMESPACE,
    RIGHTS,
    Question,
    account_of,
    install,
    may,
    token_of,
    user_of,
)
from tests.integration.member_agent.identity import ACCOUNT, admit

US = member_namespace("rights")
PLACED, JOINED = "placement.kubernetes-fleet.io", "cluster.kubernetes-fleet.io"
RBAC, LEASES = "rbac.authorization.k8s.io", "leases.coordination.k8s.io"
IDENTITIES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "hub": ("hub", {"fullnameOverride": "wide-hub"}),
    "narrow hub": (
        "hub",
        {
            "fullnameOverride": "narrow-hub",
            "rbac": {
                "placeable": [
                    {
                        "apiGroups": [""],
                        "resources": ["configmaps"],
                        "verbs": ["get", "list", "watch"],
                    }
                ]
            },
        },
    ),
    "member": ("member-agent", {}),
    "narrow member": (
        "member-agent",
        {
            "fullnameOverride": "narrow-agent",
            "rbac": {
                "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]
            },
        },
    ),
    "gateway": ("gateway", {}),
    "regional gateway": (
        "gateway",
        {
            "fullnameOverride": "regional-gateway",
            "gateway": {"scope": "regional", "cluster": "us"},
        },
    ),
}
TEMPLATES = {"hub": (*RIGHTS, CONNECT_POLICY), "member-agent": RIGHTS, "gateway": RIGHTS}

MAY: Mapping[str, str] = {
    "hub": f"""
        get secrets in default
        list widgets.example.com
        patch memberclusters.{JOINED}
        patch memberclusters.{JOINED}/status
        create internalmemberclusters.{JOINED} in {US}
        patch clusterresourceplacements.{PLACED}
        patch clusterstagedupdateruns.{PLACED}
        patch stagedupdateruns.{PLACED}/status in default
        watch stagedupdatestrategies.{PLACED}
        create approvalrequests.{PLACED} in default
        patch clusterapprovalrequests.{PLACED}/status
        create resourceplacements.{PLACED} in default
        create clusterresourcesnapshots.{PLACED}
        delete resourcebindings.{PLACED} in default
        patch schedulingpolicysnapshots.{PLACED}/status in default
        create works.{PLACED} in {US}
        delete works.{PLACED} in {US}
        create inferencesets.kaito.sh in default
        patch workspaces.kaito.sh/status in default
        delete modelservices.modelfleet.dev in default
        patch modeldeployments.aitoolchain.io/status in default
        create namespaces
        delete namespaces
        create roles.{RBAC} in {US}
        create serviceaccounts/token in {US}/{ACCOUNT}
        create events in default
        create {LEASES} in {NAMESPACE}
        patch {LEASES} in {NAMESPACE}/modelfleet-hub
        create secrets in {NAMESPACE}
    """,
    "narrow hub": f"""
        get configmaps in default
        list works.{PLACED}
        get secrets in {NAMESPACE}
        patch clusterresourceplacements.{PLACED}/status
    """,
    "agent": f"""
        list works.{PLACED} in {US}
        watch works.{PLACED} in {US}
        patch works.{PLACED} in {US}
        patch works.{PLACED}/status in {US}
        watch internalmemberclusters.{JOINED} in {US}
        patch internalmemberclusters.{JOINED}/status in {US}
        create events in {US}
        create serviceaccounts/token in {US}/{ACCOUNT}
    """,
    "member": f"""
        create deployments.apps in default
        patch secrets in default
        create clusterroles.{RBAC}
        escalate clusterroles.{RBAC}
        delete customresourcedefinitions.apiextensions.k8s.io
    """,
    "narrow member": f"""
        patch configmaps in default
        create appliedworks.{PLACED}
        delete appliedworks.{PLACED}
        patch appliedworks.{PLACED}/status
        create workspaces.kaito.sh in default
        patch inferencesets.kaito.sh/status in default
        delete statefulsets.apps in default
        create services in default
        create nodeclaims.karpenter.sh
        patch nodepools.karpenter.sh
        create namespaces
        list pods
        patch pods in default
        list events in default
        patch {LEASES} in {NAMESPACE}/modelfleet-member-agent
        patch secrets in {NAMESPACE}/modelfleet-hub-token
        create secrets in {NAMESPACE}
        delete secrets in {NAMESPACE}/modelfleet-gateway-tls
    """,
    "gateway": f"""
        watch modelservices.modelfleet.dev
        list modelendpoints.modelfleet.dev
        watch memberclusters.{JOINED}
    """,
    "regional gateway": "list pods\nwatch pods",
}
MAY_NOT: Mapping[str, str] = {
    "hub": f"""
        create pods in default
        create pods/exec in default
        patch deployments.apps in default
        patch secrets in default
        create secrets in {US}
        delete secrets in {NAMESPACE}
        create serviceaccounts/token in kube-system/default
        create serviceaccounts/token in {NAMESPACE}/wide-hub
        create clusterroles.{RBAC}
        create clusterrolebindings.{RBAC}
        escalate roles.{RBAC} in {US}
        bind clusterroles.{RBAC}
        impersonate users
        impersonate serviceaccounts in {US}/{ACCOUNT}
        create memberclusters.{JOINED}
        delete memberclusters.{JOINED}
        delete clusterresourceplacements.{PLACED}
        delete resourceplacements.{PLACED} in default
        create stagedupdateruns.{PLACED} in default
        delete clusterstagedupdateruns.{PLACED}
        patch stagedupdatestrategies.{PLACED} in default
        patch workspaces.kaito.sh in default
        delete inferencesets.kaito.sh in default
        patch modeldeployments.modelfleet.dev in default
        delete serviceaccounts in {US}
        delete roles.{RBAC} in {US}
        create nodes
        patch customresourcedefinitions.apiextensions.k8s.io
        create validatingwebhookconfigurations.admissionregistration.k8s.io
        create {LEASES} in kube-system
        patch {LEASES} in {NAMESPACE}/another
    """,
    "narrow hub": f"""
        get secrets in default
        list secrets
        get secrets in {US}
        list pods
        get deployments.apps in default
    """,
    "agent": f"""
        list works.{PLACED}
        list works.{PLACED} in {member_namespace("eu")}
        patch works.{PLACED}/status in {member_namespace("eu")}
        create works.{PLACED} in {US}
        delete works.{PLACED} in {US}
        get memberclusters.{JOINED}
        patch memberclusters.{JOINED}
        patch internalmemberclusters.{JOINED} in {US}
        patch internalmemberclusters.{JOINED}/status in {member_namespace("eu")}
        list clusterresourceplacements.{PLACED}
        create clusterresourceplacements.{PLACED}
        list resourceplacements.{PLACED} in default
        create clusterresourcebindings.{PLACED}
        get secrets in {US}
        list secrets
        get secrets in {NAMESPACE}
        get configmaps in {US}
        create {LEASES} in {US}
        create serviceaccounts/token in {US}/default
        create serviceaccounts/token in {member_namespace("eu")}/{ACCOUNT}
        create serviceaccounts in {US}
        create roles.{RBAC} in {US}
        create rolebindings.{RBAC} in {US}
        create pods in {US}
        list namespaces
        get nodes
    """,
    "narrow member": f"""
        get secrets in default
        get secrets in {NAMESPACE}/another
        delete secrets in {NAMESPACE}/modelfleet-hub-token
        create deployments.apps in default
        create clusterroles.{RBAC}
        create rolebindings.{RBAC} in default
        delete namespaces
        delete nodes
        create pods in default
        create pods/exec in default
        create nodepools.karpenter.sh
        patch {LEASES} in {NAMESPACE}/another
    """,
    "gateway": f"""
        create modelservices.modelfleet.dev in default
        patch modelendpoints.modelfleet.dev in default
        patch modelendpoints.modelfleet.dev/status in default
        delete modelendpoints.modelfleet.dev in default
        patch memberclusters.{JOINED}/status
        list works.{PLACED}
        get secrets in {NAMESPACE}
        list secrets
        list configmaps
        list pods
        create events in default
        create {LEASES} in {NAMESPACE}
        create serviceaccounts/token in {NAMESPACE}/modelfleet-gateway
    """,
    "regional gateway": f"""
        list modelservices.modelfleet.dev
        get secrets in {NAMESPACE}
        list nodes
        get pods/log in default
        create pods/exec in default
        create pods/portforward in default
        patch pods in default
        delete pods in default
    """,
}


@pytest.fixture(scope="module")
def users(server: ApiServer) -> Mapping[str, str]:
    """Have every identity made, and name its user."""
    return asyncio.run(_make(server))


async def _make(server: ApiServer) -> Mapping[str, str]:
    client = ApiClient(server.connection(), "test")
    try:
        made = {
            name: user_of(await install(client, chart, templates=TEMPLATES[chart], **values))
            for name, (chart, values) in IDENTITIES.items()
        }
        await admit(client, "rights")
        return made | {"agent": user_of(Key(US, ACCOUNT))}
    finally:
        await client.close()


@pytest.mark.parametrize("identity", MAY)
async def test_an_identity_may_do_what_its_program_does_and_no_more(
    client: ApiClient, users: Mapping[str, str], identity: str
) -> None:
    lacks = [
        text for text in _lines(MAY[identity]) if not await _may(client, users[identity], text)
    ]
    exceeds = [
        text
        for text in _lines(MAY_NOT.get(identity, ""))
        if await _may(client, users[identity], text)
    ]
    assert (lacks, exceeds) == ([], [])


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/pods/none/exec?command=id",
        "/api/v1/namespaces/default/pods/none/portforward",
        "/api/v1/namespaces/default/services/none/proxy/",
        "/api/v1/nodes/none/proxy/runningpods/",
    ],
)
async def test_a_hub_that_may_get_everything_connects_to_nothing(
    server: ApiServer, client: ApiClient, users: Mapping[str, str], path: str
) -> None:
    token = await token_of(client, account_of(users["hub"]))
    trusted = ssl.create_default_context(cafile=server.ca_file)
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as http:

        async def refused() -> bool:
            answer = await http.get(server.url + path, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code == httpx.codes.FORBIDDEN and "connects to no" in answer.text

        await until(refused)
        answer = await http.get(server.url + path, headers={"Authorization": f"Bearer {ADMIN}"})
        assert answer.status_code != httpx.codes.FORBIDDEN


@pytest.mark.parametrize("identity", ["gateway", "regional gateway"])
async def test_a_gateway_only_reads(
    server: ApiServer, client: ApiClient, users: Mapping[str, str], identity: str
) -> None:
    token = await token_of(client, account_of(users[identity]))
    own = ApiClient(server.connection(token), "gateway")
    try:
        rules = await _rules(own)
    finally:
        await own.close()
    of_everybody = {"authentication.k8s.io", "authorization.k8s.io"}
    given = [rule for rule in rules if not of_everybody & {*rule["apiGroups"]}]
    assert given
    assert {verb for rule in given for verb in rule["verbs"]} == {"get", "list", "watch"}


async def _rules(client: ApiClient) -> list[dict[str, Any]]:
    """Ask what the client itself may do."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "metadata": {},
        "spec": {"namespace": NAMESPACE},
    }
    answer = await client.dynamic.create(review)
    rules: list[dict[str, Any]] = answer["status"]["resourceRules"]
    return rules


async def _may(client: ApiClient, user: str, text: str) -> bool:
    return await may(client, user, Question.of(text))


def _lines(table: str) -> list[str]:
    return [line.strip() for line in table.splitlines() if line.strip()]

"""The ServiceAccounts of our charts on a test's API server, with the charts' own rights."""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from fleet.api.core import Namespace
from fleet.api.objects import Key, Metadata
from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.testing.apiserver import ApiServer, binaries
from fleet.testing.waiting import until

NAMESPACE = "modelfleet-system"
CHARTS = Path(__file__).parents[2] / "charts"
RIGHTS = ("serviceaccount.yaml", "rbac.yaml")
CONNECT_POLICY, WORKS_POLICY = "policy-connect.yaml", "policy-works.yaml"
"""Of the hub's chart; the second holds all but one hub of a server."""
TOKEN_SECONDS = 3600
WITH_PODS_ALONE: Mapping[str, Mapping[str, Any]] = {
    "hub": {},
    "gateway": {},
    "member-agent": {"cluster": "us", "hub": {"url": "https://hub.example"}},
}
"""Values that a chart wants and that say nothing about rights."""


class Question(NamedTuple):
    """Whether somebody may do something; `patch works.group/status in namespace/name` as fields."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, text: str) -> "Question":
        """Read `get secrets`, `patch works.example.com/status in team` or `get pods in team/a`."""
        what, _, where = text.partition(" in ")
        verb, _, kind = what.strip().partition(" ")
        kind, _, subresource = kind.partition("/")
        resource, _, group = kind.partition(".")
        namespace, _, name = where.strip().partition("/")
        return cls(verb, group, resource, subresource, namespace, name)


async def may(client: ApiClient, user: str, question: Question) -> bool:
    """Ask the API server as its admin what a user may do."""
    asked = {name: value for name, value in question._asdict().items() if value}
    namespace = account_of(user).namespace
    groups = [
        "system:authenticated",
        "system:serviceaccounts",
        f"system:serviceaccounts:{namespace}",
    ]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {"user": user, "groups": groups, "resourceAttributes": asked},
    }
    return bool((await client.dynamic.create(review))["status"]["allowed"])


def user_of(account: Key) -> str:
    return f"system:serviceaccount:{account.namespace}:{account.name}"


def account_of(user: str) -> Key:
    _, _, namespace, name = user.split(":")
    return Key(namespace, name)


async def render(
    chart: str, namespace: str, templates: Iterable[str], values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Give the objects of some of a chart's files."""
    helm = await asyncio.create_subprocess_exec(
        binaries(os.environ) / "helm",
        *("template", f"modelfleet-{chart}", CHARTS / chart, f"--namespace={namespace}"),
        *("--kube-version=1.36.0", "--values=-"),
        *(f"--show-only=templates/{name}" for name in templates),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    given = json.dumps({**WITH_PODS_ALONE[chart], **values}).encode()
    printed, _ = await helm.communicate(given)
    assert helm.returncode == 0
    return [manifest for manifest in yaml.safe_load_all(printed) if manifest]


async def install(
    client: ApiClient,
    chart: str,
    *,
    namespace: str = NAMESPACE,
    templates: Iterable[str] = RIGHTS,
    **values: Any,
) -> Key:
    """Make a chart's account and roles, and give the account once the roles are in force."""
    await client.apply(Namespace(metadata=Metadata(name=namespace)), force=True)
    manifests = await render(chart, namespace, templates, values)
    for manifest in manifests:
        await client.dynamic.apply(manifest, force=True)
    (name,) = [m["metadata"]["name"] for m in manifests if m["kind"] == "ServiceAccount"]
    account = Key(namespace, name)
    for question in _first_rights(manifests):

        async def granted(question: Question = question) -> bool:
            return await may(client, user_of(account), question)

        await until(granted)
    return account


def _first_rights(manifests: Iterable[Mapping[str, Any]]) -> Iterator[Question]:
    """Name a right of each role: the server takes up roles a moment after they are made."""
    for manifest in manifests:
        if rules := manifest.get("rules"):
            group, resource = rules[0]["apiGroups"][0], rules[0]["resources"][0]
            namespace = manifest["metadata"].get("namespace", "")
            yield Question(rules[0]["verbs"][0], group, resource, namespace=namespace)


async def remove(
    server: ApiServer, chart: str, templates: Iterable[str], values: Mapping[str, Any]
) -> None:
    """Take away what some of a chart's files have made."""
    client = ApiClient(server.connection(), "test")
    try:
        for manifest in await render(chart, NAMESPACE, templates, values):
            kind = await client.dynamic.resource_for(manifest["apiVersion"], manifest["kind"])
            await client.dynamic.delete(kind, key_of(manifest))
    finally:
        await client.close()


async def token_of(client: ApiClient, account: Key) -> str:
    return await client.request_token(account, TOKEN_SECONDS)


async def token_for(server: ApiServer, chart: str, *more: str, **values: Any) -> str:
    """Make a chart's account and give its token; `more` are files that go with its rights.

    `values` are the chart's, and may name a `namespace`.
    """
    client = ApiClient(server.connection(), "test")
    try:
        account = await install(client, chart, templates=(*RIGHTS, *more), **values)
        return await token_of(client, account)
    finally:
        await client.close()

"""The policies of the hub's chart refuse what the CRDs leave open, as KubeFleet's webhooks do."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import pytest
import pytest_asyncio

from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.api.judge import Judge
from tests.integration.api.rows import TAKEN, Row
from tests.integration.api.tables import policy_members, policy_overrides, policy_placements
from tests.integration.identity import NAMESPACE, render

HELD: Final = {"held-to": "policies"}
"""Label of the objects here: other tests on the same server go on without policies."""
ROWS: Final = (*policy_members.ROWS, *policy_placements.ROWS, *policy_overrides.ROWS)
FILES: Final = ("policy-members.yaml", "policy-placements.yaml", "policy-overrides.yaml")
FIRST: Final = ("with a taint twice", "that tolerates twice", "of one twice")
"""What a policy refuses; it is in force a moment after it is made."""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held(server: ApiServer, judge: Judge) -> AsyncIterator[Judge]:
    """A server with the policies in force, for objects with a label."""
    client = ApiClient(server.connection(), "test")
    manifests = [only_labelled(one) for one in await render("hub", NAMESPACE, FILES, {})]
    for manifest in manifests:
        await client.dynamic.apply(manifest, force=True)
    for row in (row for row in ROWS if row.what in FIRST):
        await until(partial(judge.said, labelled(row)))
    yield judge
    for manifest in manifests:
        resource = await client.dynamic.resource_for(manifest["apiVersion"], manifest["kind"])
        await client.dynamic.delete(resource, key_of(manifest))
    await client.close()


def only_labelled(manifest: dict[str, Any]) -> dict[str, Any]:
    if manifest["kind"] != "ValidatingAdmissionPolicyBinding":
        return manifest
    matching = {"matchResources": {"objectSelector": {"matchLabels": HELD}}}
    return manifest | {"spec": manifest["spec"] | matching}


def labelled(row: Row) -> Row:
    metadata = row.manifest["metadata"] | {"labels": HELD}
    return Row(row.what, row.manifest | {"metadata": metadata}, row.said, row.change)


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_a_policy_says_what_kubefleets_webhooks_say(held: Judge, row: Row) -> None:
    said = await held.said(labelled(row))
    assert row.said in said
    assert (row.said == TAKEN) == (said == TAKEN)

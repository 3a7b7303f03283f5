"""What the hub gives an agent: a namespace, an account, and no more rights than it needs."""

from contextlib import suppress
from datetime import timedelta

from fleet.api.cluster import MemberCluster
from fleet.api.names import member_namespace
from fleet.api.objects import Key
from fleet.kube.client import ApiClient
from fleet.kube.errors import AlreadyExistsError
from fleet.runtime import clock
from hub.controllers.membership.plan import Make, Observed, plan

ACCOUNT = "member-agent"


async def admit(client: ApiClient, cluster: str) -> str:
    """Make what the hub makes for a member, and give its agent's token."""
    namespace = member_namespace(cluster)
    identity = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    spec = {"identity": identity, "heartbeatPeriodSeconds": 2}
    member = MemberCluster.model_validate({"metadata": {"name": cluster}, "spec": spec})
    observed = Observed(name=cluster, cluster=member)
    for step in plan(observed, now=clock.now(), force_after=timedelta()).steps:
        for action in step:
            with suppress(AlreadyExistsError):
                if isinstance(action, Make):
                    await client.create(action.resource)
    return await client.request_token(Key(namespace, ACCOUNT), 3600)

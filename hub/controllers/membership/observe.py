"""Read everything `plan` needs, once, from the caches."""

from typing import NamedTuple

from fleet.api import names
from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.api.core import Namespace, Role, RoleBinding, ServiceAccount
from fleet.api.objects import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from hub.controllers.membership.plan import Observed

OURS = f"{names.FLEET_RESOURCE}=true"


class Reads(NamedTuple):
    clusters: Cache[MemberCluster]
    internals: Cache[InternalMemberCluster]
    works: Cache[Work]
    namespaces: Cache[Namespace]
    accounts: Cache[ServiceAccount]
    roles: Cache[Role]
    role_bindings: Cache[RoleBinding]

    def observe(self, name: str) -> Observed:
        cluster, namespace = self.clusters.get(Key("", name)), names.member_namespace(name)
        account = cluster.spec.identity.name if cluster else ""
        leaving = cluster is None or cluster.deleting
        return Observed(
            name=name,
            cluster=cluster,
            internal=self.internals.get(Key(namespace, name)),
            namespace=self.namespaces.get(Key("", namespace)),
            account=self.accounts.get(Key(namespace, account)),
            role=self.roles.get(Key(namespace, f"fleet-role-{name}")),
            role_binding=self.role_bindings.get(Key(namespace, f"fleet-rolebinding-{name}")),
            works=self.works.all(namespace) if leaving else (),
        )

"""Tells users when a member falls silent, and when it is heard again."""

from fleet.api.cluster import MemberCluster
from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.events import Tell
from hub.controllers.membership.events import BACK, SILENT
from hub.heartbeats import Heartbeats


def tell_of_silence(heartbeats: Heartbeats, clusters: Cache[MemberCluster], tell: Tell) -> None:
    """Tell from now on; the return only of whom we have missed, not of whom we never heard."""
    missed = set[str]()

    def turned(name: str) -> None:
        cluster, silent = clusters.get(Key("", name)), heartbeats.silent(name)
        if cluster and (silent or name in missed):
            tell(cluster, (SILENT if silent else BACK,))
        (missed.add if silent else missed.discard)(name)

    heartbeats.on_change(turned)

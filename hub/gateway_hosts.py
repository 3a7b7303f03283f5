"""Which members claim each host for their gateways, as the caches have it."""

from collections.abc import Callable, Iterable

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from hub.gateway_claims import Claim, Refusal, host_of, judge, private
from hub.gateway_work import WORK, certified


class _Index:
    """Members by host, and hosts by member."""

    def __init__(self) -> None:
        self._hosts: dict[str, frozenset[str]] = {}
        self._members: dict[str, set[str]] = {}

    def put(self, member: str, hosts: frozenset[str]) -> None:
        for host in self._hosts.pop(member, frozenset()) - hosts:
            self._members[host].discard(member)
            if not self._members[host]:
                del self._members[host]
        for host in hosts:
            self._members.setdefault(host, set()).add(member)
        if hosts:
            self._hosts[member] = hosts

    def of(self, member: str) -> frozenset[str]:
        return self._hosts.get(member, frozenset())

    def members(self, host: str) -> frozenset[str]:
        return frozenset(self._members.get(host, ()))


class GatewayHosts:
    def __init__(
        self,
        clusters: Cache[MemberCluster],
        works: Cache[Work],
        reserved: Iterable[str] = (),
    ) -> None:
        """Follow the caches; `reserved` are the global gateway's names."""
        self._clusters, self._works = clusters, works
        self._reserved = frozenset(reserved)
        self._believed, self._certified = _Index(), _Index()
        self._listeners: list[Callable[[str], None]] = []
        clusters.on_change(self._cluster, part=_address)
        works.on_change(self._work, part=_certificate)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Hear of members beside whom another claims, or claimed, the same host."""
        self._listeners.append(listener)

    def refusal(self, member: str, url: str) -> Refusal | None:
        """Say why a member may not be reached by an address; None where it may."""
        return judge(member, url, self._claims(host_of(url), member), self._reserved)

    def granted(self, cluster: MemberCluster) -> str:
        """Give the host that a member's certificate is for; it keeps one that it had."""
        gateway = cluster.status.gateway
        if gateway:
            refused = self.refusal(cluster.name, gateway.url)
            return "" if refused else host_of(gateway.url)
        kept = sorted(self._certified.of(cluster.name))
        return next((host for host in kept if not self.refusal(cluster.name, _url(host))), "")

    def _claims(self, host: str, member: str) -> tuple[Claim, ...]:
        certified, believed = self._certified.members(host), self._believed.members(host)
        found = []
        for name in certified | believed | {member}:
            cluster = self._clusters.get(Key("", name))
            if cluster or name == member:
                since = cluster.metadata.creation_timestamp if cluster else None
                found.append(Claim(name, name in certified, name in believed, since))
        return tuple(found)

    def _cluster(self, cluster: MemberCluster) -> None:
        there = self._clusters.get(cluster.key)
        host = _address(there) if there else ""
        self._move(self._believed, cluster.name, frozenset({host} if host else ()))

    def _work(self, work: Work) -> None:
        member = names.member_cluster(work.namespace)
        if work.name == WORK and member:
            there = self._works.get(work.key)
            self._move(self._certified, member, certified(there) if there else frozenset())

    def _move(self, index: _Index, member: str, hosts: frozenset[str]) -> None:
        hosts = frozenset(host for host in hosts if not private(host))
        old = index.of(member)
        index.put(member, hosts)
        for host in old ^ hosts:
            for rival in self._certified.members(host) | self._believed.members(host):
                if rival != member:
                    for listener in self._listeners:
                        listener(rival)


def _address(cluster: MemberCluster) -> str:
    gateway = cluster.status.gateway
    return host_of(gateway.url) if gateway else ""


def _certificate(work: Work) -> object:
    """What of a Work may say another certificate; of all but the gateways', nothing."""
    return work.metadata.generation if work.name == WORK else None


def _url(host: str) -> str:
    return f"https://[{host}]" if ":" in host else f"https://{host}"

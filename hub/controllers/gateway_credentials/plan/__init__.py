"""Decide what the gateways of the fleet know each other by, and who gets what of it. Pure."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.objects import Metadata
from fleet.api.work import Work, Workload, WorkSpec
from hub.certificates import Maker, Pair, presentable, read
from hub.controllers.gateway_credentials.plan.actions import (
    ANNOUNCED,
    AUTHORITY,
    CREDENTIAL,
    PUBLISHED,
    RECEIVED,
    ROTATED,
    Action,
    Delivery,
    Plan,
    Shared,
    WriteSecret,
    WriteWork,
)
from hub.controllers.gateway_credentials.plan.authorities import (
    RENEW_AT,
    Authority,
    Issuer,
    Rules,
    live,
    signer,
    wants_successor,
)
from hub.controllers.gateway_credentials.plan.credential import (
    Credential,
    due,
    overdue,
    turned,
)
from hub.gateway_work import CERTIFICATE, MEMBER_NAMESPACE, WORK, service_names

TLS: Final = "kubernetes.io/tls"
OPAQUE: Final = "Opaque"
SHORTEST: Final = timedelta(seconds=1)


def plan_shared(
    shared: Shared, more_names: Iterable[str], now: datetime, rules: Rules, maker: Maker
) -> Plan:
    """Keep authorities, the global gateway's certificate, and the credential."""
    authorities = shared.authorities
    actions: list[Action] = []
    if wants_successor(authorities, now):
        authorities = (*live(authorities, now), _successor(authorities, now, rules, maker))
        actions.append(_authorities(shared, authorities))
    alive = live(authorities, now)
    published = {a.said.key_id: shared.published.get(a.said.key_id, now) for a in alive}
    signs = signer(alive, published, now, rules.overlap)
    issuer = Issuer(signs, alive, rules, maker)
    wanted = service_names(shared.namespace) | frozenset(filter(presentable, more_names))
    pair = _pair(issuer, shared.pair, wanted, now)
    actions += _tls(shared, issuer, pair, published)
    secrets = turned(shared.secrets, now, rules, maker, all_accept=not shared.waiting)
    if secrets != shared.secrets:
        actions.append(_credential(shared, secrets))
    said = read(pair.cert)
    times = [
        alive[-1].said.at(RENEW_AT),
        *(at + rules.overlap for at in published.values()),
        *([said.at(RENEW_AT)] if said else []),
        due(secrets, rules),
    ]
    late = shared.waiting if overdue(shared.secrets, now, rules) else ()
    return Plan(tuple(actions), _again(times, now), late)


def plan_delivery(
    shared: Shared, delivery: Delivery, now: datetime, rules: Rules, maker: Maker
) -> Plan:
    """Give a member its certificate and the credential, as a Work."""
    cluster, alive = delivery.cluster, live(shared.authorities, now)
    if cluster is None or cluster.deleting or not cluster.joined:
        return Plan()
    if not alive or not shared.published or shared.secrets is None:
        return Plan()
    signs = signer(alive, shared.published, now, rules.overlap)
    issuer = Issuer(signs, alive, rules, maker)
    pair = _pair(issuer, delivery.pair, member_names(delivery.host), now)
    wanted = _work(cluster, issuer, pair, shared.secrets)
    said = read(pair.cert)
    again = _again([said.at(RENEW_AT)] if said else [], now)
    there = delivery.work
    if there is None:
        return Plan((WriteWork(wanted),), again)
    if there.deleting or _same(there, wanted):
        return Plan((), again)
    metadata = wanted.metadata.model_copy(update={"uid": there.metadata.uid})
    return Plan((WriteWork(Work(metadata=metadata, spec=wanted.spec)),), again)


def member_names(host: str) -> frozenset[str]:
    """Name what a member's gateway is called by: its Service, and the host that it may have."""
    return service_names(MEMBER_NAMESPACE) | frozenset({host} if presentable(host) else ())


def accepts(work: Work, secrets: Credential) -> bool:
    """Whether a member has applied all that the credential has."""
    applied = next((c for c in work.status.conditions if c.type == "Applied"), None)
    current = (
        applied is not None
        and applied.true
        and applied.observed_generation == work.metadata.generation
    )
    return current and _credential_manifest(secrets) in work.spec.workload.manifests


def _successor(
    authorities: tuple[Authority, ...], now: datetime, rules: Rules, maker: Maker
) -> Authority:
    pair = maker.authority(now, rules.authority)
    said = read(pair.cert)
    assert said is not None
    return Authority(1 + max((each.number for each in authorities), default=0), pair, said)


def _pair(issuer: Issuer, there: Pair | None, wanted: frozenset[str], now: datetime) -> Pair:
    if there and issuer.keeps(read(there.cert), wanted, now):
        return there
    return issuer.issue(wanted, now)


def _authorities(shared: Shared, authorities: tuple[Authority, ...]) -> WriteSecret:
    data = {f"{each.number}.crt": each.pair.cert for each in authorities}
    data |= {f"{each.number}.key": each.pair.key for each in authorities}
    return WriteSecret(shared.key(AUTHORITY), OPAQUE, encoded(data), {}, shared.authority)


def _tls(
    shared: Shared, issuer: Issuer, pair: Pair, published: Mapping[str, datetime]
) -> Iterator[WriteSecret]:
    data, there = _tls_data(issuer, pair), shared.tls
    if there and there.data == data and published == shared.published:
        return
    said = {key: at.isoformat() for key, at in sorted(published.items())}
    annotations = {PUBLISHED: json.dumps(said)}
    yield WriteSecret(shared.key(CERTIFICATE), TLS, data, annotations, there)


def _tls_data(issuer: Issuer, pair: Pair) -> Mapping[str, str]:
    return encoded({"ca.crt": issuer.bundle, "tls.crt": pair.cert, "tls.key": pair.key})


def _credential(shared: Shared, secrets: Credential) -> WriteSecret:
    times = {ROTATED: secrets.rotated, ANNOUNCED: secrets.announced, RECEIVED: secrets.received}
    annotations = {name: at.isoformat() for name, at in times.items() if at}
    data = encoded({"credential": secrets.text})
    key = shared.key(CREDENTIAL)
    return WriteSecret(key, OPAQUE, data, annotations, shared.credential)


def _work(cluster: MemberCluster, issuer: Issuer, pair: Pair, secrets: Credential) -> Work:
    manifests = (
        manifest(CERTIFICATE, TLS, _tls_data(issuer, pair)),
        _credential_manifest(secrets),
    )
    return Work(
        metadata=Metadata(
            name=WORK,
            namespace=names.member_namespace(cluster.name),
            labels={names.MANAGED_BY: names.CATEGORY, names.GATEWAY_IDENTITY: "true"},
            annotations={names.ENSURE_NAMESPACE: "true"},
        ),
        spec=WorkSpec(workload=Workload(manifests=manifests)),
    )


def _credential_manifest(secrets: Credential) -> dict[str, Any]:
    return manifest(CREDENTIAL, OPAQUE, encoded({"credential": secrets.accepted}))


def manifest(name: str, kind: str, data: Mapping[str, str]) -> dict[str, Any]:
    """Write a Secret as the member is to have it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": MEMBER_NAMESPACE},
        "type": kind,
        "data": dict(data),
    }


def _same(there: Work, wanted: Work) -> bool:
    return (
        there.spec.workload.manifests == wanted.spec.workload.manifests
        and wanted.metadata.labels.items() <= there.metadata.labels.items()
        and wanted.metadata.annotations.items() <= there.metadata.annotations.items()
    )


def encoded(data: Mapping[str, str]) -> Mapping[str, str]:
    """Write values as a Secret's data has them."""
    return {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}


def _again(times: Iterable[datetime | None], now: datetime) -> timedelta | None:
    later = [at - now for at in times if at and at > now]
    return max(SHORTEST, min(later)) if later else None

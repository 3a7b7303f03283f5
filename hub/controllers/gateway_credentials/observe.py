"""Read what is there, once, from the caches; what cannot be read counts as not there."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.api.work import Work
from fleet.kube.cache import Cache
from hub.certificates import Pair, read
from hub.controllers.gateway_credentials.plan import accepts
from hub.controllers.gateway_credentials.plan.actions import (
    ANNOUNCED,
    AUTHORITY,
    CREDENTIAL,
    PUBLISHED,
    RECEIVED,
    ROTATED,
    Delivery,
    Shared,
)
from hub.controllers.gateway_credentials.plan.authorities import Authority
from hub.controllers.gateway_credentials.plan.credential import Credential
from hub.gateway_hosts import GatewayHosts
from hub.gateway_work import CERTIFICATE, WORK, decoded, delivered, pair


class Reads(NamedTuple):
    secrets: Cache[Secret]
    """Of the hub's own namespace alone."""
    clusters: Cache[MemberCluster]
    works: Cache[Work]

    def shared(self) -> Shared:
        """Read what all gateways share, and in a rotation who is waited for."""
        authority, tls = self._secret(AUTHORITY), self._secret(CERTIFICATE)
        credential = self._secret(CREDENTIAL)
        secrets = _credential(credential)
        rotating = secrets is not None and secrets.announced is not None
        return Shared(
            namespace=self.secrets.namespace,
            authority=authority,
            authorities=_authorities(authority),
            tls=tls,
            pair=pair(tls.data) if tls else None,
            published=_published(tls),
            credential=credential,
            secrets=secrets,
            waiting=self._waiting(secrets) if secrets and rotating else (),
        )

    def delivery(self, name: str, hosts: GatewayHosts) -> Delivery:
        work = self.works.get(Key(names.member_namespace(name), WORK))
        cluster = self.clusters.get(Key("", name))
        return Delivery(
            cluster=cluster,
            work=work,
            pair=delivered(work) if work else None,
            host=hosts.granted(cluster) if cluster else "",
        )

    def _secret(self, name: str) -> Secret | None:
        return self.secrets.get(Key(self.secrets.namespace, name))

    def _waiting(self, secrets: Credential) -> tuple[str, ...]:
        """Name who may serve without knowing the successor: who has a Work, or is to get one."""
        found = []
        for cluster in self.clusters.all():
            work = self.works.get(Key(names.member_namespace(cluster.name), WORK))
            receives = not cluster.deleting and (work is not None or cluster.joined)
            if receives and not (work and accepts(work, secrets)):
                found.append(cluster.name)
        return tuple(sorted(found))


def _authorities(secret: Secret | None) -> tuple[Authority, ...]:
    if secret is None:
        return ()
    numbers = {name.partition(".")[0] for name in secret.data}
    found = (_authority(secret.data, number) for number in numbers if number.isdecimal())
    return tuple(sorted((each for each in found if each), key=lambda each: each.number))


def _authority(data: Mapping[str, str], number: str) -> Authority | None:
    cert, key = decoded(data, f"{number}.crt"), decoded(data, f"{number}.key")
    said = read(cert)
    return Authority(int(number), Pair(cert, key), said) if said and key else None


def _published(tls: Secret | None) -> Mapping[str, datetime]:
    text = tls.metadata.annotations.get(PUBLISHED, "") if tls else ""
    try:
        said = json.loads(text or "{}")
        return {str(key): datetime.fromisoformat(at) for key, at in said.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _credential(secret: Secret | None) -> Credential | None:
    if secret is None:
        return None
    lines = tuple(decoded(secret.data, "credential").split())
    notes, made = secret.metadata.annotations, secret.metadata.creation_timestamp
    rotated = _time(notes.get(ROTATED)) or made
    if not lines or rotated is None:
        return None
    announced = _time(notes.get(ANNOUNCED)) if len(lines) > 1 else None
    return Credential(lines, rotated, announced, _time(notes.get(RECEIVED)) if announced else None)


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None

"""A program waits for the kinds that it needs, and for a server that is away."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from fleet.api.cluster import InternalMemberCluster, MemberCluster
from fleet.kube.cache import Cache
from fleet.kube.errors import (
    KubeError,
    NotFoundError,
    NotPermittedError,
    TransientError,
)
from fleet.kube.resources import ApiResource
from fleet.kube.serve import await_served
from tests.unit.fleet.kube.virtual import in_virtual_time

WHY = (
    "not served: internalmemberclusters.cluster.kubernetes-fleet.io, "
    "memberclusters.cluster.kubernetes-fleet.io; "
    "install the CRDs: kubectl apply --server-side -f crds/"
)


@dataclass
class Server:
    """Is away until a time, and then serves its kinds from a time on."""

    away_until: float = 0.0
    serves_from: float = 0.0
    error: KubeError = field(default_factory=lambda: TransientError("away"))
    withheld: dict[str, float] = field(default_factory=dict)
    """Kinds that may not be listed, and until when."""

    async def served(self, resource: ApiResource, namespace: str = "") -> None:
        del namespace
        now = asyncio.get_running_loop().time()
        if now < self.away_until:
            raise self.error
        if now < self.serves_from:
            raise NotFoundError(resource.kind)
        if now < self.withheld.get(resource.kind, 0.0):
            raise NotPermittedError(f'User "hub" cannot list resource "{resource.plural}"')


def waited(server: Server, *, optional: bool = False) -> float:
    """Give the time at which the wait is over."""

    async def body() -> float:
        caches = [Cache(kind, optional=optional) for kind in (MemberCluster, InternalMemberCluster)]
        await await_served(server, caches)
        return asyncio.get_running_loop().time()

    return in_virtual_time(body())


def test_kinds_that_are_served_are_not_waited_for() -> None:
    assert waited(Server()) == 0.0


def test_kinds_that_come_late_are_waited_for() -> None:
    assert waited(Server(serves_from=30.0)) == 30.0


def test_kinds_that_may_be_missing_are_not_asked_for() -> None:
    assert waited(Server(serves_from=1e9), optional=True) == 0.0


def test_a_server_that_is_away_and_kinds_that_do_not_come_are_each_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert waited(Server(away_until=3600.0, serves_from=7200.0)) == 7200.0
    assert [record.message for record in caplog.records] == [
        "the API server does not answer",
        "kinds are missing",
    ]


def test_each_right_that_is_missing_is_named_once_with_the_way_out_until_it_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    withheld = {"MemberCluster": 300.0, "InternalMemberCluster": 60.0}
    with caplog.at_level(logging.WARNING):
        assert waited(Server(withheld=withheld)) == 300.0
    told = [(record.message, vars(record)["why"]) for record in caplog.records]
    assert told == [
        ("a right is missing", 'User "hub" cannot list resource "internalmemberclusters"'),
        ("a right is missing", 'User "hub" cannot list resource "memberclusters"'),
    ]
    assert {"rbac.create=true" in vars(record)["way_out"] for record in caplog.records} == {True}


def test_kinds_that_are_missing_are_named_at_once_and_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert waited(Server(serves_from=30.0)) == 30.0
    (record,) = caplog.records
    assert record.message == "kinds are missing"
    assert f"{vars(record)['why']}; {vars(record)['way_out']}" == WHY

"""What an older CRD lacks is left out of what is written, and named once."""

import asyncio
import logging
from typing import Any

import pytest
from typing_extensions import override

from fleet.api.core import ConfigMap
from fleet.kube.config import Connection
from fleet.kube.errors import RejectedError
from fleet.kube.lacks import Lack, noting
from fleet.kube.resources import ApiResource
from fleet.kube.transport import Transport
from fleet.kube.undeclared import Undeclared, undeclared, without
from fleet.kube.verbs import Verbs

KIND = ApiResource.of(ConfigMap)
LACKS = "field not declared in schema"
NOTES = [("status", "parts", "", "note")]
SAID = f"failed to create typed patch object (a/b; v1, Kind=ConfigMap): {{}}: {LACKS}"


class Server(Verbs):
    """Knows no `status.gateway`, and no `note` of what is in `status.parts`."""

    def __init__(self) -> None:
        super().__init__(Transport(Connection(server="http://127.0.0.1:9")), "test")
        self.stored: list[Any] = []
        self.newer = False

    @override
    async def apply(self, resource: ApiResource, manifest: Any, **how: Any) -> bytes:
        del resource, how
        status = manifest["status"]
        if "gateway" in status and not self.newer:
            raise RejectedError(SAID.format(".status.gateway"))
        if any("note" in part for part in status["parts"]):
            raise RejectedError(SAID.format('.status.parts[name="b.c"].note'))
        if "wrong" in status:
            raise RejectedError("status.wrong: Invalid value")
        self.stored.append(manifest)
        return b"{}"


def body(**status: Any) -> dict[str, Any]:
    parts = [{"name": "a"}, {"name": "b.c", "note": "n"}]
    return {"metadata": {"name": "b"}, "status": {"parts": parts, "region": "us", **status}}


async def test_what_is_left_is_written_and_what_is_not_is_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, fields = Server(), Undeclared()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await fields.apply(server, KIND, body(gateway={"url": "u"}), force=True)
    left = {"parts": [{"name": "a"}, {"name": "b.c"}], "region": "us"}
    assert server.stored == [{"metadata": {"name": "b"}, "status": left}] * 2
    assert [vars(record)["why"] for record in caplog.records] == [
        "configmaps has no field status.gateway: it is left out",
        "configmaps has no field status.parts.note: it is left out",
    ]
    assert {"kubectl" in vars(record)["way_out"] for record in caplog.records} == {True}


async def test_a_reconcile_is_told_what_was_left_out_by_the_tasks_that_it_began() -> None:
    server, fields = Server(), Undeclared()
    for _ in range(2):
        with noting() as lacks:
            await asyncio.gather(fields.apply(server, KIND, body(gateway={}), force=True))
        assert lacks == {
            Lack("configmaps", "status.gateway"),
            Lack("configmaps", "status.parts.note"),
        }
    with noting() as lacks:
        await fields.apply(
            server, KIND, without(body(), [("status", "parts", "", "note")]), force=True
        )
    assert not lacks


async def test_what_was_left_out_is_lacking_until_it_is_written() -> None:
    server, fields = Server(), Undeclared()
    await fields.apply(server, KIND, without(body(gateway={}), NOTES), force=True)
    assert fields.lacks == {Lack("configmaps", "status.gateway")}
    await fields.apply(server, KIND, without(body(), NOTES), force=True)
    assert fields.lacks
    server.newer = True
    await fields.apply(server, KIND, without(body(gateway={}), NOTES), force=True)
    assert not fields.lacks


async def test_what_else_is_wrong_is_still_an_error() -> None:
    with pytest.raises(RejectedError, match="Invalid value"):
        await Undeclared().apply(Server(), KIND, body(wrong=True), force=True)


def test_a_field_that_is_not_there_is_not_left_out() -> None:
    assert without(body(), undeclared(SAID.format(".spec.other"))) == body()

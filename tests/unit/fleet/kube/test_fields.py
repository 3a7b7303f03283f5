"""A field that the server's CRD lacks is asked for now and then, and named once."""

import logging

import pytest

from fleet.api.core import ConfigMap
from fleet.kube.fields import Field, Fields
from fleet.kube.lacks import Lack

SIZE, NOTE = Field(ConfigMap, "spec.size"), Field(ConfigMap, "spec.note", holds_list=True)


class Server:
    def __init__(self) -> None:
        self.fields = {SIZE}
        self.asked: list[Field] = []

    async def knows(self, field: Field) -> bool:
        self.asked.append(field)
        return field in self.fields


async def test_what_is_lacking_is_asked_again_after_a_while_and_named_each_time_that_it_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, seconds = Server(), [0.0]
    fields = Fields(server, lambda: seconds[0])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await fields.lacks((SIZE, NOTE)) == [Lack("configmaps", "spec.note")]
        assert server.asked == [SIZE, NOTE]
        for known, lacking in (({SIZE, NOTE}, 0), ({SIZE}, 1)):
            server.fields = known
            seconds[0] += 1
            assert len(await fields.lacks((SIZE, NOTE))) == lacking
    assert [vars(record)["why"] for record in caplog.records] == [
        "configmaps has no field spec.note"
    ] * 2

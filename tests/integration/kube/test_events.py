"""A real API server takes our events, and counts what is told again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.api.core import Namespace
from fleet.api.happenings import Happening
from fleet.api.keys import Key
from fleet.api.objects import Resource
from fleet.kube.client import ApiClient
from fleet.kube.events import KIND, Events
from tests.integration.kube.widgets import widget

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def told(client: ApiClient, about: Resource, *happened: Happening, later: int = 0) -> None:
    """Tell as a process does that has just started."""
    events = Events(client, "modelfleet-test", lambda: NOON + timedelta(minutes=later))
    with events.heard():
        events.tell(about, happened)
    await events.write_all()


def said(body: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(body[name] for name in ("reason", "type", "count", "firstTimestamp"))


@pytest.mark.parametrize("namespaced", [True, False])
async def test_events_are_kept_and_counted(
    client: ApiClient, namespace: str, *, namespaced: bool
) -> None:
    about: Resource | None = await client.get(Namespace, Key("", namespace))
    if namespaced:
        about = await client.create(widget(Key(namespace, "phi")))
    assert about
    lost = Happening("Lost", "us is silent " * 200, warning=True)
    await told(client, about, lost, Happening("Scheduled", "eu is chosen"))
    await told(client, about, lost, later=5)
    found = await client.dynamic.list(KIND, namespace if namespaced else "default")
    ours = [body for body in found if body["involvedObject"].get("uid") == about.metadata.uid]
    assert sorted(map(said, ours)) == [
        ("Lost", "Warning", 2, "2026-01-01T12:00:00Z"),
        ("Scheduled", "Normal", 1, "2026-01-01T12:00:00Z"),
    ]
    assert {body["reportingComponent"] for body in ours} == {"modelfleet-test"}

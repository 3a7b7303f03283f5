"""Follow a rollout to its end."""

import asyncio
from contextlib import suppress
from typing import Final

from cli.rollout.report import Report
from cli.rollout.screen import Screen
from cli.rollout.subject import A_RUN, look
from fleet.api.scope import CLUSTER, NAMESPACED
from fleet.kube.client import ApiClient
from fleet.kube.errors import TransientError

POLL_SECONDS: Final = 0.5
_RUNS: Final = frozenset({CLUSTER.run.kind(), NAMESPACED.run.kind()})


async def watch(
    hub: ApiClient, name: str, namespace: str, screen: Screen, *, seconds: float
) -> Report:
    """Show it to its end, or for so many seconds where there are any; give what was seen last."""
    report = await look(hub, name, namespace)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds or None):
            while True:
                screen.show(report, hub.now())
                if not report.goes_on:
                    break
                await asyncio.sleep(POLL_SECONDS)
                report = await _again(hub, report, name, namespace, screen)
    return report


async def _again(
    hub: ApiClient, report: Report, name: str, namespace: str, screen: Screen
) -> Report:
    """Stay with the run that was seen first, and wait for a hub that does not answer."""
    if report.whole.facts["kind"] in _RUNS:
        name = f"{A_RUN}{report.whole.name}"
    while True:
        try:
            return await look(hub, name, namespace)
        except TransientError as error:
            screen.trouble(f"the hub does not answer: {error}")
            await asyncio.sleep(POLL_SECONDS)

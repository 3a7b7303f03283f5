"""Follow a rollout to its end."""

import asyncio
from typing import Final

from cli.rollout.report import Report
from cli.rollout.screen import Screen
from cli.rollout.subject import A_RUN, CLUSTER, NAMESPACED, RolloutError, look
from fleet.kube.client import ApiClient
from fleet.kube.errors import TransientError

POLL_SECONDS: Final = 0.5
_RUNS: Final = frozenset({CLUSTER.run.kind(), NAMESPACED.run.kind()})


class NotEndedError(RolloutError):
    """The time to watch is over; the rollout goes on."""


async def watch(
    hub: ApiClient, name: str, namespace: str, screen: Screen, *, seconds: float
) -> Report:
    """Show it again and again until it ends; NotEndedError after `seconds`, where there are any."""
    report = await look(hub, name, namespace)
    try:
        async with asyncio.timeout(seconds or None):
            while True:
                screen.show(report, hub.now())
                if not report.goes_on:
                    return report
                await asyncio.sleep(POLL_SECONDS)
                report = await _again(hub, report, name, namespace, screen)
    except TimeoutError as error:
        waits = "; ".join(report.waits_for) or "its clusters"
        text = f"{report.title} has not ended within {seconds:g} s: it waits for {waits}"
        raise NotEndedError(text) from error


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

"""Run what a verb does, and say what went wrong in one line."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import typer

from cli.hub_access import NoHubError
from cli.output import fail
from cli.rollout.subject import RolloutError
from cli.rollout.watch import NotEndedError

T = TypeVar("T")
NOT_ENDED: Final = 3
"""Exit code where the time to watch was over first."""


def run(doing: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(doing)
    except NotEndedError as error:
        fail(str(error))
        raise typer.Exit(NOT_ENDED) from error
    except (RolloutError, NoHubError) as error:
        raise fail(str(error)) from error

"""Run what a verb does, and say what went wrong in one line."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from cli.hub_access import NoHubError
from cli.output import fail
from cli.rollout.subject import RolloutError

T = TypeVar("T")


def run(doing: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(doing)
    except (RolloutError, NoHubError) as error:
        raise fail(str(error)) from error

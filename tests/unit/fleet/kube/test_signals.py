"""A signal ends a program by an event, for as long as it is asked to."""

import os
import signal

import pytest

from fleet.kube.signals import Ending
from fleet.testing.waiting import until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_says_that_the_end_is_wanted(number: signal.Signals) -> None:
    ending = Ending()
    with ending.by_signals():
        assert not ending.wanted.is_set()
        os.kill(os.getpid(), number)
        await until(ending.wanted.is_set)


async def test_signals_are_taken_back_from_who_took_them_since() -> None:
    ending, others = Ending(), Ending()
    with ending.by_signals():
        others.take_signals()
        ending.take_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        await until(ending.wanted.is_set)
        assert not others.wanted.is_set()


async def test_afterwards_signals_do_what_they_did_before() -> None:
    with Ending().by_signals():
        pass
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

"""How an endpoint stands, and why: as one worker sees it, and all of them together."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from gateway.load import Load
from gateway.policy.endpoint import EndpointState, Failure


class State(StrEnum):
    """How an endpoint stands, the best first."""

    READY = "ready"
    EJECTED = "ejected"
    """Left alone for a while after failures."""
    NOT_READY = "not_ready"
    """So says Kubernetes, or its credential is not at hand."""
    DOWN = "down"
    """So says our own probe."""


class Standing(Struct, frozen=True):
    """One endpoint, as one worker sees it now."""

    model: str
    region: str
    state: State
    in_flight: int
    reason: str = ""
    """Why it is not simply ready."""
    load: Load | None = None
    """What it says of its own work."""
    tokens: int = 0
    """What those in flight are expected to take."""


FAILED: Final = {
    Failure.REFUSED: "it refused a connection",
    Failure.UNTRUSTED: "its certificate is not to be trusted",
    Failure.RESET: "it broke a connection before its answer",
    Failure.BUSY: "it said that it was busy (429, 502, 503 or 504)",
    Failure.SLOW: "it did not answer in time",
    Failure.CUT: "it broke off an answer",
    Failure.SPENT: "the gateway had no connection left to open",
    Failure.ERROR: "it answered 500",
}
NOT_READY: Final = "Kubernetes says that it is not ready"
LOCKED: Final = "its credential or certificate is not below GATEWAY_CREDENTIALS_DIR"
DOWN: Final = "it does not answer its probe, or says that nothing there is ready"


def standing(model: str, state: EndpointState, now: float) -> Standing:
    told = _state(state, now)
    endpoint = state.endpoint
    why = _reason(state, told, now)
    return Standing(model, endpoint.region, told, state.in_flight, why, state.work, state.tokens)


def together(standings: Iterable[Standing]) -> Standing:
    """Put together how workers see one endpoint: what they send there, and the worst of it."""
    all_ = tuple(standings)
    worst = max(all_, key=lambda each: tuple(State).index(each.state))
    in_flight, tokens = (sum(each.in_flight for each in all_), sum(each.tokens for each in all_))
    return structs.replace(worst, in_flight=in_flight, tokens=tokens)


def _state(state: EndpointState, now: float) -> State:
    if state.up is False:
        return State.DOWN
    if not state.ready:
        return State.NOT_READY
    return State.READY if state.usable(now) else State.EJECTED


def _reason(state: EndpointState, told: State, now: float) -> str:
    if told is State.DOWN:
        return DOWN
    if told is State.NOT_READY:
        return NOT_READY if state.endpoint.ready is False else LOCKED
    why = FAILED[state.last] if state.last else ""
    if told is State.EJECTED:
        return f"{why}; left alone for {state.ejected_until - now:.0f} s"
    return f"{why}; on trial" if state.on_trial else ""

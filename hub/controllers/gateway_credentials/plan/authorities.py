"""Authorities that sign gateways' certificates: one is believed everywhere before it signs. Pure.

A successor is made when two thirds of the newest one's life are over. It joins the bundle that
gateways trust at once, and signs only when it has been there for the overlap: by then every mount
of that bundle shows it. What an elder one signed stays good, for an authority leaves the bundle
only when it expires, and no certificate outlives the one that signed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.certificates import Certificate, Maker, Pair, Span

RENEW_AT: Final = 2 / 3
"""Part of a certificate's life after which its successor is made."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How long things live; see the settings of these names."""

    authority: timedelta
    certificate: timedelta
    credential: timedelta
    overlap: timedelta


@dataclass(frozen=True, slots=True)
class Authority:
    number: int
    """Counts up; names its keys in the Secret."""
    pair: Pair
    said: Certificate


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs now, and who is trusted."""

    signer: Authority
    trusted: tuple[Authority, ...]
    """The signer among them, the eldest first."""
    rules: Rules
    maker: Maker

    @property
    def bundle(self) -> str:
        return "".join(each.pair.cert for each in self.trusted)

    def keeps(self, said: Certificate | None, names: frozenset[str], now: datetime) -> bool:
        """Whether a certificate that is there need not be issued again."""
        return (
            said is not None
            and said.names == names
            and now < said.at(RENEW_AT)
            and said.issuer_id in {each.said.key_id for each in self.trusted}
        )

    def issue(self, names: frozenset[str], now: datetime) -> Pair:
        until = min(now + self.rules.certificate, self.signer.said.until)
        return self.maker.certificate(self.signer.pair, names, Span(now, until))


def live(authorities: Sequence[Authority], now: datetime) -> tuple[Authority, ...]:
    return tuple(each for each in authorities if now < each.said.until)


def wants_successor(authorities: Sequence[Authority], now: datetime) -> bool:
    """Whether the newest authority is at the end of its time, or there is none."""
    alive = live(authorities, now)
    return not alive or now >= alive[-1].said.at(RENEW_AT)


def signer(
    authorities: Sequence[Authority],
    published: Mapping[str, datetime],
    now: datetime,
    overlap: timedelta,
) -> Authority:
    """Choose the newest that has been trusted for long enough, else the eldest."""
    known = [
        each
        for each in authorities
        if each.said.key_id in published and now >= published[each.said.key_id] + overlap
    ]
    return known[-1] if known else authorities[0]

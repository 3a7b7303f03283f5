"""What a ServiceAccount's token says of itself, and what is no such token."""

from datetime import timedelta

import pytest

from fleet.kube.tokens import Life, life_of
from fleet.testing.tokens import AGENT, NOON, signed


def test_a_token_says_whose_it_is_and_how_long_it_lives() -> None:
    assert life_of(signed()) == Life(AGENT, NOON, NOON + timedelta(days=1))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b.c",
        "a.!!!.c",
        "a.bnVsbA.c",
        "a.W10.c",
        signed(sub="system:node:n1"),
        signed(sub="system:serviceaccount:x"),
        signed(sub="a:b:c:d"),
        signed(exp=None),
        signed(iat="noon"),
    ],
    ids=[
        "nothing",
        "no parts",
        "no JSON",
        "no base64",
        "null",
        "a list",
        "a node",
        "no name",
        "somebody else",
        "no end",
        "a word",
    ],
)
def test_what_is_no_token_of_an_account_that_ends_is_left_alone(token: str) -> None:
    assert life_of(token) is None

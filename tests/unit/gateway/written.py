"""JSON as clients write it: blanks anywhere, letters as escapes, keys twice."""

import json
from random import Random
from typing import Any

from hypothesis import strategies as st

BLANKS = ("", " ", "\n\t", "\r\n  ")
TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "model", '"model":', "é", "😀", "{", "]"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.just("model") | TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)
FINITE = VALUES.filter(lambda value: "Infinity" not in json.dumps(value))
PAIRS = st.lists(st.tuples(st.sampled_from(["model", "models", "n"]) | TEXTS, FINITE), max_size=5)


def text(value: str, chance: Random) -> str:
    """Write a string, some of its letters as escapes."""
    return f'"{"".join(_letter(sign, chance) for sign in value)}"'


def value(given: Any, chance: Random) -> str:
    """Write a value with blanks around whatever may have some."""
    if isinstance(given, dict):
        return members(list(given.items()), chance)
    if isinstance(given, list):
        return f"[{','.join(_spaced(value(item, chance), chance) for item in given)}]"
    return text(given, chance) if isinstance(given, str) else json.dumps(given)


def members(pairs: list[tuple[str, Any]], chance: Random) -> str:
    """Write an object, which may have a key twice."""
    written = (
        f"{_spaced(text(key, chance), chance)}:{_spaced(value(item, chance), chance)}"
        for key, item in pairs
    )
    return "{" + (",".join(written) or chance.choice(BLANKS)) + "}"


def body(pairs: list[tuple[str, Any]], chance: Random) -> bytes:
    return _spaced(members(pairs, chance), chance).encode()


def _letter(sign: str, chance: Random) -> str:
    if ord(sign) < 0x10000 and chance.random() < 0.2:
        return f"\\u{ord(sign):04{chance.choice('xX')}}"
    return json.dumps(sign, ensure_ascii=chance.random() < 0.5)[1:-1]


def _spaced(written: str, chance: Random) -> str:
    return f"{chance.choice(BLANKS)}{written}{chance.choice(BLANKS)}"

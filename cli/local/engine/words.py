"""A made-up language: the next token follows from all tokens before it, so a text can be resumed.

Sentences come from a small grammar; of the words that may follow, a checksum of everything said so
far picks one. Resuming with the tokens of a cut answer therefore ends in the same text.
"""

import re
from itertools import pairwise
from zlib import crc32

EOS = 0
USER, SYSTEM, ASSISTANT, TOOL, END = 1, 2, 3, 4, 5
"""Mark who speaks in a chat, and where a message ends."""
_FIRST_OPENING, _FIRST_WORD, _FIRST_FOREIGN, _FOREIGN = 10, 100, 10_000, 90_000
_ROLES = {"system": SYSTEM, "developer": SYSTEM, "assistant": ASSISTANT, "tool": TOOL}

_OPENING = "This is a local stand-in for {model}: it holds no weights and makes sentences up."
_CLASSES = {
    "start": "The Every Another One Each No",
    "trait": "quiet patient curious northern careful silver distant young ancient steady",
    "actor": "river pilot lantern engine gardener compass traveller orchard signal teacher",
    "deed": "carries remembers gathers follows builds repairs measures paints shelters studies",
    "kind": "small bright forgotten woven useful gentle wooden secret paper early",
    "thing": "letters maps bridges songs seeds clocks stories windows boats questions",
    "where": "beyond through across beneath beside between",
    "place": "harbours mountains stations gardens islands libraries markets valleys",
    "and": "and",
    "stop": ".",
}
_FOLLOWS = {
    "start": ("trait", "actor"),
    "trait": ("actor",),
    "actor": ("deed",),
    "deed": ("kind", "thing", "kind"),
    "kind": ("thing",),
    "thing": ("where", "stop", "where", "and"),
    "where": ("place",),
    "place": ("stop",),
    "and": ("kind", "thing"),
}
_SENTENCES_UNTIL_THE_END = 6
"""On average; a text ends after a sentence by chance."""


_WORDS = [(kind, word) for kind, words in _CLASSES.items() for word in words.split()]
_KIND = {_FIRST_WORD + n: kind for n, (kind, _) in enumerate(_WORDS)}
_BY_KIND = {name: [i for i, kind in _KIND.items() if kind == name] for name in _CLASSES}
_BY_TEXT = {word: _FIRST_WORD + n for n, (_, word) in enumerate(_WORDS)}
_SPELLING = {token: word if word == "." else f" {word}" for word, token in _BY_TEXT.items()}
_INTRO = {_FIRST_OPENING + n: word for n, word in enumerate(re.findall(r" ?\S+", _OPENING))}
_SPELLING |= _INTRO
_NEXT_IN_INTRO = dict(pairwise(_INTRO))
_TEXT = re.compile(r"\w+|[^\w\s]")


def spell(token: int, model: str) -> str:
    """Give the text of a generated token; one that was only ever read has none."""
    return _SPELLING.get(token, "").replace("{model}", model)


def tokens_of(text: str) -> list[int]:
    return [_BY_TEXT.get(word) or _foreign(word) for word in _TEXT.findall(text)]


def tokens_of_chat(messages: list[tuple[str, str]]) -> list[int]:
    """Give the tokens of (role, text) pairs, and of the place where the answer begins."""
    tokens: list[int] = []
    for role, text in messages:
        tokens += (_ROLES.get(role, USER), *tokens_of(text), END)
    return [*tokens, ASSISTANT]


def checksum(tokens: list[int], seed: int) -> int:
    """Sum up everything said so far, beginning with the seed."""
    value = crc32(seed.to_bytes(8, "big", signed=True))
    for token in tokens:
        value = mix(value, token)
    return value


def mix(value: int, token: int) -> int:
    return crc32((token & 0xFFFFFFFF).to_bytes(4, "big"), value)


def next_token(value: int, last: int) -> int:
    """Say what comes after `last`, where `value` sums up everything said so far."""
    if last == ASSISTANT:
        return _FIRST_OPENING
    if last in _NEXT_IN_INTRO:
        return _NEXT_IN_INTRO[last]
    kind = _KIND.get(last)
    if kind == "stop" and value % _SENTENCES_UNTIL_THE_END == 0:
        return EOS
    return _pick(value >> 8, _FOLLOWS.get(kind or "", ("start",)))


def _pick(value: int, kinds: tuple[str, ...]) -> int:
    words = _BY_KIND[kinds[value % len(kinds)]]
    return words[value // len(kinds) % len(words)]


def _foreign(word: str) -> int:
    return _FIRST_FOREIGN + crc32(word.encode()) % _FOREIGN

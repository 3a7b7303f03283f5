"""The model that a body names is found as an engine would find it, and nothing else is touched."""

import json
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import (
    JUMPS,
    LARGE,
    STEP,
    BodyError,
    Span,
    finish,
    glance,
    head_of,
    long,
    model_at,
    model_span,
    renamed,
    walk,
)
from gateway.policy.learning import ANY, STREAM, WHOLE, Wanted
from tests.unit.gateway import written

CHANCE = st.randoms(use_true_random=False)
SIZE = 4 * STEP


def found(body: bytes) -> str:
    """Read a model's name as from a large body."""
    return model_at(body, finish(walk(body)))


def model_of(body: bytes) -> str:
    model: str = head_of(body).model
    return model


def refusal(body: bytes) -> tuple[str, str | None]:
    with pytest.raises(BodyError) as error:
        model_of(body)
    return error.value.code, error.value.param


@given(written.PAIRS, CHANCE)
def test_every_body_is_read_as_json_reads_it(pairs: list[tuple[str, Any]], chance: Random) -> None:
    body = written.body(pairs, chance)
    named = [value for key, value in pairs if key == "model"]
    if len(named) == 1 and isinstance(named[0], str) and named[0]:
        assert model_of(body) == found(body) == named[0]
        start, end = model_span(body)
        assert (start, end) == finish(walk(body))
        assert json.loads(body[start:end]) == named[0]
    else:
        several = "duplicate_model" if len(named) > 1 else "invalid_model"
        assert refusal(body)[0] == ("missing_model" if named in ([], [None]) else several)
        with pytest.raises(BodyError):
            found(body)


@given(written.PAIRS, st.text(min_size=1), st.text(max_size=8), CHANCE)
def test_a_model_is_renamed_in_its_place_and_all_else_stays_to_the_byte(
    pairs: list[tuple[str, Any]], model: str, new: str, chance: Random
) -> None:
    others = [pair for pair in pairs if pair[0] != "model"]
    place = chance.randint(0, len(others))
    body = written.body([*others[:place], ("model", model), *others[place:]], chance)
    start, end = span = model_span(body)
    changed = renamed(body, span, new)
    assert changed[:start] == body[:start]
    assert changed[len(changed) - len(body) + end :] == body[end:]
    assert json.loads(changed) == json.loads(body) | {"model": new}


@given(written.PAIRS, st.text(min_size=1), CHANCE, st.data())
def test_a_damaged_body_is_refused_or_read_as_json_reads_it(
    pairs: list[tuple[str, Any]], model: str, chance: Random, data: st.DataObject
) -> None:
    body = written.body([("model", model), *pairs], chance)
    at = data.draw(st.integers(0, len(body)))
    length = data.draw(st.integers(0, 3))
    agree(body[:at] + data.draw(st.binary(max_size=2)) + body[at + length :])


@given(st.binary(max_size=40))
def test_bytes_that_are_no_json_are_refused_and_nothing_worse(body: bytes) -> None:
    agree(body)


def agree(body: bytes) -> None:
    """Hold what is read of a body, if anything is, against what an engine reads."""
    try:
        engine = json.loads(body.decode())
    except ValueError:
        for read in (model_of, found):
            with suppress(BodyError):
                read(body)
        return
    for read in (model_of, found):
        with suppress(BodyError):
            assert read(body) == engine["model"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"model=a", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b'"model"', "invalid_json", None),
        (b'{"model": "a"', "invalid_json", None),
        (b'{"model": "a\xff"}', "invalid_json", None),
        (b'{"model": "a"} {}', "invalid_json", None),
        (b'{"model": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json", None),
        (b"{}", "missing_model", "model"),
        (b'{"model": null}', "missing_model", "model"),
        (b'{"messages": [{"model": "a"}]}', "missing_model", "model"),
        (b'{"x": "model"}', "missing_model", "model"),
        (b'{"Model": "a"}', "missing_model", "model"),
        (b'{"model": 3}', "invalid_model", "model"),
        (b'{"model": ["a"]}', "invalid_model", "model"),
        (b'{"model": ""}', "invalid_model", "model"),
        (b'{"model": "a", "model": "b"}', "duplicate_model", "model"),
        (b'{"model": "a", "model": "a"}', "duplicate_model", "model"),
        (b'{"model": "a", "\\u006dodel": "b"}', "duplicate_model", "model"),
        (b'{"mod\\u0065l": "a", "mo\\u0064el": "b"}', "duplicate_model", "model"),
    ],
)
def test_a_body_that_cannot_be_routed_is_refused_with_the_reason(
    body: bytes, code: str, param: str | None
) -> None:
    assert refusal(body) == (code, param)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"a" 1}',
        b"{1: 2}",
        b'{"a": }',
        b'{"a": 1, }',
        b'{"a": "b',
        b'{"a": [1, {"b": 2}',
        b'{"a": [' + b"1," * STEP,
        b'{"\\q": 1}',
        b'{"\xff": 1}',
        b'{"a": 1}',
    ],
)
def test_a_large_body_that_cannot_be_routed_is_refused(body: bytes) -> None:
    with pytest.raises(BodyError):
        finish(walk(body))


@pytest.mark.parametrize("value", [b"3", b"null", b'"\xff"', b'"\\ud800"', b'""', b'{"a": 1}'])
def test_a_large_body_must_name_its_model_by_a_string(value: bytes) -> None:
    with pytest.raises(BodyError):
        found(b'{"model": %b}' % value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"tools": [{"model": "inner"}], "model": "outer"}',
        b'{"tools": {"model": "inner"}, "\\u006dodel": "outer"}',
        b'{"x": "\\"model\\": \\"inner\\"", "model": "outer"}',
        b'{"prompt": "model", "model": "outer", "user": "model"}',
        b'{"model" \n:\t"outer", "n": 1}',
    ],
)
def test_the_model_of_the_request_itself_is_renamed(body: bytes) -> None:
    assert model_of(body) == "outer"
    changed = renamed(body, model_span(body), 'the "new"')
    assert json.loads(changed) == json.loads(body) | {"model": 'the "new"'}


@pytest.mark.parametrize("run", [*range(8), 255, 256, 257, STEP, STEP + 1, 3 * STEP])
def test_a_string_ends_behind_an_even_number_of_backslashes(run: int) -> None:
    end = b'"' if run % 2 == 0 else b'" is within"'
    body = b'{"a": "%b%b, "model": "outer"}' % (b"\\" * run, end)
    assert found(body) == "outer"


def pauses(body: bytes) -> tuple[int, Span]:
    """Walk a body; gives how often others had their turn meanwhile, and what was found."""
    steps = walk(body)
    for number in count():
        try:
            next(steps)
        except StopIteration as end:
            span: Span = end.value
            return number, span
    raise AssertionError


@pytest.mark.parametrize(
    ("filling", "least"),
    [
        (b'"k":1,' * (SIZE // 6), SIZE // 6 // JUMPS),
        (b'"k":[%b1],' % (b"1," * (SIZE // 2)), SIZE // STEP - 1),
        (b'"k":%b%b,' % (b"[" * SIZE, b"]" * SIZE), 2 * SIZE // JUMPS - 1),
        (b'"k":["",%b1],' % (b'"",' * (SIZE // 3)), SIZE // 3 // JUMPS - 1),
        (b'"k":"%b",' % (b'\\"' * (SIZE // 2)), SIZE // 2 // JUMPS - 1),
        (b'"k":"%b",' % (b"\\" * SIZE), SIZE // STEP - 1),
    ],
    ids=["keys", "numbers", "brackets", "strings", "quotes", "backslashes"],
)
def test_a_large_body_lets_others_run_whatever_it_is_made_of(filling: bytes, least: int) -> None:
    body = b'{%b"model": "a"}' % filling
    number, span = pauses(body)
    assert model_at(body, span) == "a"
    assert number >= least


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model": "m", "user": "%b"}' % (b"x" * STEP), False),
        (b'{"model": "m", "user": "%b"}' % (b"x" * LARGE), True),
        (b'{"model": "m", "user": ["model", "%b"]}' % (b"x" * STEP), True),
        (b'{"model": "m", "user": "\\u0061%b"}' % (b"x" * STEP), True),
        (b'{"model": "m", "user": ["model"]}', False),
    ],
    ids=["plain", "large", "a second key", "an escaped letter", "short"],
)
def test_what_takes_long_to_read_is_read_in_steps(body: bytes, expected: bool) -> None:
    assert long(body) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ('"stream": true, "max_tokens": 9', Wanted(STREAM, 9)),
        ('"stream": true', Wanted(STREAM)),
        ('"stream": false', Wanted(WHOLE)),
        ('"stream": "true"', Wanted(WHOLE)),
        ('"max_tokens": 100', Wanted(3, 100)),
        ('"max_completion_tokens": 100', Wanted(3, 100)),
        ('"max_output_tokens": 100, "max_tokens": null', Wanted(3, 100)),
        ('"max_tokens": {"a": [1e400]}', Wanted(WHOLE)),
        ('"max_tokens": -1', Wanted(WHOLE, -1)),
    ],
)
def test_a_body_says_what_answer_is_wanted(fields: str, expected: Wanted) -> None:
    body = f'{{"model": "a", {fields}}}'.encode()
    assert head_of(body).wanted == expected
    assert glance(body) == expected


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"stream": true, "x": "' + b"x" * STEP + b'"}']
)
def test_a_body_that_is_not_ours_to_judge_is_of_no_kind(body: bytes) -> None:
    assert glance(body) == ANY

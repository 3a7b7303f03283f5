"""What the gateway itself says has the shape that OpenAI's clients read."""

import json
from typing import Any

import pytest

from gateway.policy import answers
from gateway.policy.answers import Answer
from gateway.policy.endpoint import Failure


def said(answer: Answer) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error


@pytest.mark.parametrize(
    ("answer", "status", "code", "kind"),
    [
        (answers.unknown_model("gpt"), 404, "model_not_found", "invalid_request_error"),
        (answers.not_found("GET", "/v2"), 404, "unknown_url", "invalid_request_error"),
        (answers.UNAUTHORIZED, 401, "invalid_api_key", "invalid_request_error"),
        (answers.TOO_LARGE, 413, "request_too_large", "invalid_request_error"),
        (answers.HEAD_TOO_LARGE, 431, "headers_too_large", "invalid_request_error"),
        (answers.MALFORMED, 400, "malformed_request", "invalid_request_error"),
        (answers.EXPECTATION, 417, "expectation_failed", "invalid_request_error"),
        (answers.TIMEOUT, 408, "request_timeout", "invalid_request_error"),
        (answers.STARTING, 503, "not_ready", "server_error"),
        (answers.none_ready("demo/phi", 1), 503, "no_ready_endpoint", "server_error"),
        (answers.gave_up(Failure.SLOW, 2, 1), 504, "upstream_timeout", "server_error"),
        (answers.gave_up(Failure.REFUSED, 2, 1), 503, "no_ready_endpoint", "server_error"),
        (answers.gave_up(Failure.SPENT, 2, 1), 503, "no_connection", "server_error"),
        (answers.gave_up(Failure.RESET, 2, 1), 502, "upstream_failed", "server_error"),
        (answers.gave_up(Failure.CUT, 2, 1), 502, "upstream_failed", "server_error"),
    ],
)
def test_an_error_has_a_status_a_code_and_a_kind(
    answer: Answer, status: int, code: str, kind: str
) -> None:
    error = said(answer)
    assert (answer.status, error["code"], error["type"]) == (status, code, kind)
    assert answer.code == code
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].endswith(".")


@pytest.mark.parametrize(
    "answer",
    [
        answers.UNAUTHORIZED,
        answers.TOO_LARGE,
        answers.HEAD_TOO_LARGE,
        answers.MALFORMED,
        answers.EXPECTATION,
        answers.TIMEOUT,
    ],
)
def test_after_a_request_that_was_not_read_the_connection_closes(answer: Answer) -> None:
    assert answer.close


def test_a_name_of_a_clients_own_cannot_break_the_answer() -> None:
    error = said(answers.unknown_model('a", "code": "b\n'))
    assert error["message"] == 'The model `a", "code": "b\n` does not exist.'
    assert error["param"] == "model"


@pytest.mark.parametrize(("seconds", "header"), [(0, 1), (0.2, 1), (1, 1), (1.01, 2), (59.9, 60)])
def test_who_is_refused_for_now_is_told_when_to_come_again(seconds: float, header: int) -> None:
    assert answers.none_ready("demo/phi", seconds).retry_after == header
    for failure in Failure:
        assert answers.gave_up(failure, 3, seconds).retry_after == header


@pytest.mark.parametrize(("attempts", "words"), [(1, "1 try."), (3, "3 tries.")])
def test_who_gets_no_answer_is_told_how_often_it_was_tried(attempts: int, words: str) -> None:
    assert said(answers.gave_up(Failure.SLOW, attempts, 1))["message"].endswith(words)


def test_a_cut_stream_ends_in_an_event_that_clients_raise() -> None:
    head, _, rest = answers.INTERRUPTED.partition(b"data: ")
    assert (head, rest[-2:]) == (b"", b"\n\n")
    assert json.loads(rest)["error"]["code"] == "stream_interrupted"
    assert b"[DONE]" not in answers.INTERRUPTED


def test_a_page_is_json() -> None:
    assert answers.as_json({"a": [1]}) == Answer(200, b'{"a":[1]}')

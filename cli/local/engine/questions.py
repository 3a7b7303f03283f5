"""Requests as OpenAI's clients send them; what is not named here is taken in and left alone."""

import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from typing_extensions import override

from cli.local.engine.errors import BadRequestError
from cli.local.engine.words import tokens_of, tokens_of_chat

T = TypeVar("T")
Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Seed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_PATH = re.compile(r"at `\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_COMPLETION_TOKENS = 16
"""OpenAI's default for /v1/completions, where nothing is said; null is as many as fit."""


class StreamOptions(Struct):
    include_usage: bool = False
    continuous_usage_stats: bool = False


class Part(Struct):
    """A piece of a message; of all kinds only text is read."""

    type: str = "text"
    text: str = ""


class Message(Struct):
    role: str
    content: str | list[Part] | None = None

    def text(self, place: str) -> str:
        if not isinstance(self.content, list):
            return self.content or ""
        for part in self.content:
            if part.type != "text":
                raise BadRequestError(f"`{part.type}` parts are not supported, only text", place)
        return "\n".join(part.text for part in self.content)


class Question(Struct, kw_only=True):
    """What a chat and a completion have in common."""

    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Positive | UnsetType | None = UNSET
    min_tokens: NotNegative | None = 0
    ignore_eos: bool | None = False
    n: Positive | None = 1
    seed: Seed | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    stop: str | list[str] | None = None
    logprobs: bool | int | None = None
    return_token_ids: bool | None = False

    @property
    def stops(self) -> list[str]:
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in given if stop]

    def asked(self) -> tuple[str, int | None]:
        """Say how many tokens are asked for, and in which field; None is as many as fit."""
        return "max_tokens", self.max_tokens or None

    def prompt_tokens(self) -> list[int]:
        raise NotImplementedError

    def check(self) -> None:
        """Refuse what this engine cannot do rather than do something else."""
        if self.n not in (None, 1):
            raise BadRequestError("only one choice is generated: n must be 1", "n")
        if self.logprobs:
            raise BadRequestError("there are no weights, so there are no logprobs", "logprobs")
        if self.stream_options and not self.stream:
            raise BadRequestError("stream_options need stream=true", "stream_options")


class Chat(Question, kw_only=True):
    messages: Annotated[list[Message], Meta(min_length=1)]
    max_completion_tokens: Positive | None = None

    @override
    def asked(self) -> tuple[str, int | None]:
        if self.max_completion_tokens:
            return "max_completion_tokens", self.max_completion_tokens
        return super().asked()

    @override
    def prompt_tokens(self) -> list[int]:
        texts = enumerate(self.messages)
        return tokens_of_chat([(m.role, m.text(f"messages[{n}].content")) for n, m in texts])


class Completion(Question, kw_only=True):
    prompt: str | list[str | int | list[int]]
    echo: bool | None = False
    best_of: Positive | None = None

    @override
    def asked(self) -> tuple[str, int | None]:
        most = _COMPLETION_TOKENS if self.max_tokens is UNSET else self.max_tokens
        return "max_tokens", most or None

    @override
    def prompt_tokens(self) -> list[int]:
        prompt: object = self.prompt
        if isinstance(prompt, list) and len(prompt) == 1 and not isinstance(prompt[0], int):
            prompt = prompt[0]
        if isinstance(prompt, str) and prompt.strip():
            return tokens_of(prompt)
        if isinstance(prompt, list) and prompt and all(isinstance(one, int) for one in prompt):
            return prompt
        raise BadRequestError(
            "prompt must be one text or one list of token ids, not empty", "prompt"
        )

    @override
    def check(self) -> None:
        super().check()
        if self.echo:
            raise BadRequestError("echo is not supported", "echo")
        if self.best_of not in (None, 1):
            raise BadRequestError("only one choice is generated: best_of must be 1", "best_of")


class Tokenized(Struct, kw_only=True):
    """What is to be taken apart: a text, or a chat with the place where its answer begins."""

    model: str | None = None
    prompt: str | None = None
    messages: list[Message] | None = None

    def tokens(self) -> list[int]:
        if self.prompt is not None:
            return tokens_of(self.prompt)
        texts = enumerate(self.messages or ())
        return tokens_of_chat([(m.role, m.text(f"messages[{n}].content")) for n, m in texts])


Kinds = type[Chat] | type[Completion]
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in (Chat, Completion)}
_tokenized = msgspec.json.Decoder(Tokenized)


def read(kind: Kinds, body: bytes) -> Question:
    """Parse and check a request; a BadRequestError names the field."""
    question: Question = _parsed(_DECODERS[kind], body)
    question.check()
    return question


def tokenized(body: bytes) -> Tokenized:
    """Parse what is to be taken apart; a BadRequestError names the field."""
    wanted = _parsed(_tokenized, body)
    if (wanted.prompt is None) == (wanted.messages is None):
        raise BadRequestError("give either a prompt or messages", "prompt")
    return wanted


def _parsed(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error), _field(str(error))) from error
    except msgspec.DecodeError as error:
        raise BadRequestError(f"the body is no JSON: {error}") from error


def _field(message: str) -> str | None:
    path = _PATH.search(message)
    missing = _MISSING.search(message)
    names: Sequence[str] = [match.group(1) for match in (path, missing) if match]
    return ".".join(name for name in names if name) or None

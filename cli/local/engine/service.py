"""What the engine answers: models, completions, health, metrics, and the faults it is told."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from os import urandom
from typing import Any

import msgspec
from typing_extensions import override

from cli.local.engine import faults, limits, questions, wire
from cli.local.engine.answers import Frame
from cli.local.engine.commandline import Options
from cli.local.engine.errors import ApiError, BadRequestError, UnknownModelError
from cli.local.engine.generation import Step, Wish
from cli.local.engine.questions import Chat, Completion, Question
from cli.local.engine.serving import Serving
from cli.local.engine.wire import Answer, Request, Stream
from fleet.runtime.clock import Clock

VERSION = "modelfleet-local"
OWNER = "modelfleet-local"
_HERE = ("127.", "::1")
Handler = Callable[[Request], Awaitable[Answer | Stream]]


class Routes(wire.Service):
    """One engine's HTTP interface, in vLLM's dialect."""

    def __init__(self, options: Options, serving: Serving, clock: Clock) -> None:
        self._options, self._serving, self._clock = options, serving, clock
        self._born = int(clock().timestamp())
        self._handlers: dict[tuple[str, str], Handler] = {
            ("GET", "/health"): self._health,
            ("GET", "/ping"): self._health,
            ("GET", "/version"): self._version,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/v1/models"): self._models,
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/completions"): self._completion,
            ("POST", "/tokenize"): self._tokenize,
            ("POST", "/-/limits"): self._be_limited,
            ("GET", "/-/fault"): self._fault,
            ("POST", "/-/fault"): self._tell,
        }

    @override
    async def answer(self, request: Request) -> Answer | Stream:
        handler = self._handlers.get((request.method, request.path))
        if handler:
            return await handler(request)
        if any(request.path == path for _, path in self._handlers):
            raise ApiError(405, f"{request.path} does not take {request.method}")
        raise ApiError(404, f"there is no {request.path}")

    async def _health(self, _: Request) -> Answer:
        await self._serving.check_health()
        return Answer()

    async def _version(self, _: Request) -> Answer:
        return Answer(msgspec.json.encode({"version": VERSION}))

    async def _metrics(self, _: Request) -> Answer:
        batch = self._serving.batch
        gauges = {
            "num_requests_running": batch.running,
            "num_requests_waiting": batch.waiting,
            "kv_cache_usage_perc": batch.cache_usage,
        }
        text = self._serving.metrics.expose(gauges)
        return Answer(text, content_type="text/plain; version=0.0.4; charset=utf-8")

    async def _models(self, _: Request) -> Answer:
        first, length = self._options.served[0], self._options.max_model_len
        models = [
            *(
                self._model(name, self._options.model, None, length)
                for name in self._options.served
            ),
            *(self._model(name, path, first) for name, path in self._options.adapters.items()),
        ]
        return Answer(msgspec.json.encode({"object": "list", "data": models}))

    def _model(
        self, name: str, root: str, parent: str | None, length: int | None = None
    ) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self._born,
            "owned_by": OWNER,
            "root": root,
            "parent": parent,
            "max_model_len": length,
            "permission": [],
        }

    async def _chat(self, request: Request) -> Answer | Stream:
        return await self._complete(Chat, "chatcmpl", request)

    async def _completion(self, request: Request) -> Answer | Stream:
        return await self._complete(Completion, "cmpl", request)

    async def _complete(
        self, kind: questions.Kinds, prefix: str, request: Request
    ) -> Answer | Stream:
        question = questions.read(kind, request.body)
        name = question.model or self._options.served[0]
        if name not in (*self._options.served, *self._options.adapters):
            raise UnknownModelError(name)
        prompt = question.prompt_tokens()
        wish = self._wish(question, name, prompt)
        self._serving.admit()
        frame = Frame(
            id=f"{prefix}-{request.headers.get('x-request-id') or urandom(16).hex()}",
            created=int(self._clock().timestamp()),
            model=name,
            question=question,
            prompt=prompt,
        )
        steps = self._serving.run(wish)
        if question.stream:
            return Stream(_parts(frame, steps))
        return Answer(frame.whole([step async for step in steps]))

    def _wish(self, question: Question, model: str, prompt: list[int]) -> Wish:
        return Wish(
            prompt=prompt,
            model=model,
            limit=self._limit(question, len(prompt)),
            least=question.min_tokens or 0,
            ignore_eos=bool(question.ignore_eos),
            seed=question.seed or 0,
            stops=question.stops,
        )

    def _limit(self, question: Question, prompt: int) -> int:
        """Say how many tokens may be generated; prompt and answer share the context."""
        length = self._options.max_model_len
        field, asked = question.asked()
        if prompt >= length:
            field = "messages" if isinstance(question, Chat) else "prompt"
        elif not asked or asked <= length - prompt:
            return asked or length - prompt
        raise BadRequestError(
            f"This model's maximum context length is {length} tokens. "
            f"The prompt has {prompt}, and {asked or 'more'} are asked for.",
            field,
        )

    async def _tokenize(self, request: Request) -> Answer:
        tokens = questions.tokenized(request.body).tokens()
        told = {"count": len(tokens), "max_model_len": self._options.max_model_len}
        return Answer(msgspec.json.encode(told | {"tokens": tokens, "token_strs": None}))

    async def _be_limited(self, request: Request) -> Answer:
        _only_from_here(request)
        told = limits.read(request.body)
        self._serving.batch.limit(told.running, told.waiting)
        return Answer(msgspec.json.encode(told))

    async def _fault(self, request: Request) -> Answer:
        _only_from_here(request)
        return Answer(msgspec.json.encode(self._serving.fault))

    async def _tell(self, request: Request) -> Answer:
        _only_from_here(request)
        self._serving.tell(faults.read(request.body))
        return await self._fault(request)


def _only_from_here(request: Request) -> None:
    if not request.peer.startswith(_HERE):
        raise ApiError(403, "faults are set from the same machine only")


async def _parts(frame: Frame, steps: AsyncGenerator[Step, None]) -> AsyncGenerator[bytes, None]:
    """Give the events of a stream; the first comes with the first token."""
    number = 0
    async with aclosing(steps):
        async for step in steps:
            number += 1
            opening = frame.opening() if number == 1 and frame.chat else b""
            yield opening + frame.chunk(step, number)
    yield frame.closing(number)

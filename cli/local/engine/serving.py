"""Runs requests: in a batch, at the pace that the settings say, and as badly as a fault says."""

import asyncio
from collections.abc import AsyncGenerator
from typing import NoReturn

from cli.local.engine.batch import Batch
from cli.local.engine.errors import CrowdedError, TornError, UnavailableError
from cli.local.engine.faults import Fault, Mode
from cli.local.engine.generation import Step, Wish, generate
from cli.local.engine.metrics import Metrics
from cli.local.engine.settings import Settings


class Serving:
    def __init__(self, batch: Batch, metrics: Metrics, settings: Settings) -> None:
        self.batch, self.metrics, self._settings = batch, metrics, settings
        self.fault = Fault()
        self._told = asyncio.Event()

    def tell(self, fault: Fault) -> None:
        """Misbehave from now on; what hangs for an earlier fault looks again."""
        self.fault = fault
        self._told.set()
        self._told = asyncio.Event()

    async def suffer(self, given: int) -> None:
        """Bear the present fault, `given` tokens into a request."""
        while self.fault.mode is Mode.HANG and given >= self.fault.after_chunks:
            await self._told.wait()
        if self.fault.mode in (Mode.DIE, Mode.EXIT) and given >= self.fault.after_chunks:
            self._die()

    async def check_health(self) -> None:
        if not self.fault.health:
            return
        self._refuse()
        while self.fault.mode is Mode.HANG:
            await self._told.wait()
        if self.fault.mode in (Mode.DIE, Mode.EXIT):
            self._die()

    def admit(self) -> None:
        """Refuse a request that cannot be taken now."""
        self._refuse()
        if self.batch.crowded:
            raise CrowdedError(self.batch.waiting)

    def _refuse(self) -> None:
        if self.fault.mode is Mode.REFUSE:
            raise UnavailableError(self.fault.retry_after)

    async def run(self, wish: Wish) -> AsyncGenerator[Step, None]:
        """Give the tokens of an answer when they are due."""
        record = _Record(self.metrics, len(wish.prompt), asyncio.get_running_loop().time())
        try:
            async with self.batch.place():
                self.batch.tokens += len(wish.prompt)
                try:
                    async for step in self._steps(wish, record):
                        yield step
                finally:
                    self.batch.tokens -= len(wish.prompt) + record.generated
        finally:
            record.end(asyncio.get_running_loop().time())

    async def _steps(self, wish: Wish, record: "_Record") -> AsyncGenerator[Step, None]:
        clock = asyncio.get_running_loop().time
        record.started = due = clock()
        pause = self._settings.first_token_seconds
        for step in generate(wish):
            await self.suffer(record.generated)
            due = max(due + pause, clock() - pause)
            await asyncio.sleep(due - clock())
            self.batch.tokens += 1
            record.token(clock(), step.finish_reason)
            yield step
            pause = self._settings.token_seconds

    def _die(self) -> NoReturn:
        raise TornError(fatal=self.fault.mode is Mode.EXIT)


class _Record:
    """When things happened to one request; they are counted as they happen."""

    def __init__(self, metrics: Metrics, prompt: int, arrived: float) -> None:
        self._metrics, self._prompt, self._arrived = metrics, prompt, arrived
        self.started = arrived
        self.generated = 0
        self._first = self._last = arrived
        self._reason = "abort"

    def token(self, now: float, finish_reason: str | None) -> None:
        if self.generated == 0:
            self._first = now
            self._metrics.prompt_tokens += self._prompt
            self._metrics.observe("time_to_first_token_seconds", now - self._arrived)
        else:
            self._metrics.observe("inter_token_latency_seconds", now - self._last)
        self.generated += 1
        self._last = now
        self._metrics.generation_tokens += 1
        self._reason = finish_reason or self._reason

    def end(self, now: float) -> None:
        self._metrics.finished[self._reason] += 1
        if self._reason == "abort":
            return
        observe = self._metrics.observe
        decode = self._last - self._first
        observe("e2e_request_latency_seconds", now - self._arrived)
        observe("request_queue_time_seconds", self.started - self._arrived)
        observe("request_prefill_time_seconds", self._first - self.started)
        observe("request_decode_time_seconds", decode)
        observe("request_inference_time_seconds", self._last - self.started)
        observe("request_prompt_tokens", self._prompt)
        observe("request_generation_tokens", self.generated)
        if self.generated > 1:
            observe("request_time_per_output_token_seconds", decode / (self.generated - 1))

"""Keep asking a model while something else goes on, and count what comes of it."""

import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import openai

from cli.demo.asking import Refusal, ask

PAUSE_SECONDS = 0.1


@dataclass(slots=True)
class Traffic:
    """One client that asks again as soon as it has its answer; a refusal counts as one."""

    client: openai.OpenAI
    model: str
    answered: int = 0
    refused: list[Refusal] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._enough.wait(PAUSE_SECONDS):
            answer = ask(self.client, self.model, "Are you still there?")
            if isinstance(answer, Refusal):
                self.refused.append(answer)
            else:
                self.answered += 1

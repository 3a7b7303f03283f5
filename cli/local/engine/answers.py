"""Answers in OpenAI's form, as vLLM gives them, whole and in chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cli.local.engine.generation import Step
from cli.local.engine.questions import Chat, Question

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all parts of one answer have in common."""

    id: str
    created: int
    model: str
    question: Question
    prompt: Sequence[int]

    @property
    def chat(self) -> bool:
        return isinstance(self.question, Chat)

    def usage(self, generated: int) -> dict[str, Any]:
        prompt = len(self.prompt)
        return {
            "prompt_tokens": prompt,
            "total_tokens": prompt + generated,
            "completion_tokens": generated,
        }

    def whole(self, steps: Sequence[Step]) -> bytes:
        text, ids = "".join(step.text for step in steps), self._ids(*steps)
        said: dict[str, Any] = {"text": text}
        if self.chat:
            said = {"message": {"role": "assistant", "content": text, "tool_calls": []}}
        kind = "chat.completion" if self.chat else "text_completion"
        body = self._body(kind, [self._choice(said, steps[-1], ids)])
        return msgspec.json.encode(body | self._prompt_ids() | {"usage": self.usage(len(steps))})

    def opening(self) -> bytes:
        """Give the chunk that comes before a chat's first token."""
        said = {"delta": {"role": "assistant", "content": ""}}
        return self._event([self._choice(said)], self._prompt_ids() | self._running_usage(0))

    def chunk(self, step: Step, number: int) -> bytes:
        """Give the chunk of the token that is the `number`-th."""
        said: dict[str, Any] = {"text": step.text}
        if self.chat:
            said = {"delta": {"content": step.text}}
        extra = self._running_usage(number)
        if number == 1 and not self.chat:
            extra |= self._prompt_ids()
        return self._event([self._choice(said, step, self._ids(step))], extra)

    def closing(self, generated: int) -> bytes:
        """Give what ends a stream: the usage where it was asked for, and the mark."""
        options = self.question.stream_options
        if options and options.include_usage:
            return self._event([], {"usage": self.usage(generated)}) + DONE
        return DONE

    def _event(self, choices: list[dict[str, Any]], extra: dict[str, Any]) -> bytes:
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return b"data: %b\n\n" % msgspec.json.encode(self._body(kind, choices) | extra)

    def _body(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return {**head, "choices": choices}

    def _choice(
        self, said: dict[str, Any], step: Step | None = None, ids: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        choice = {"index": 0, **said, "logprobs": None}
        choice["finish_reason"] = step.finish_reason if step else None
        if step and step.finish_reason:
            choice["stop_reason"] = step.stop_reason
        return choice | (ids or {})

    def _ids(self, *steps: Step) -> dict[str, Any]:
        wanted = self.question.return_token_ids
        return {"token_ids": [step.token for step in steps]} if wanted else {}

    def _prompt_ids(self) -> dict[str, Any]:
        wanted = self.question.return_token_ids
        return {"prompt_token_ids": list(self.prompt)} if wanted else {}

    def _running_usage(self, generated: int) -> dict[str, Any]:
        options = self.question.stream_options
        if options and options.continuous_usage_stats:
            return {"usage": self.usage(generated)}
        return {}

"""Ask a model with OpenAI's own client, and tell how long it took and who answered."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import openai

REGION = "x-modelfleet-region"
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Reply:
    region: str
    seconds: float
    """Of the request that was answered."""
    text: str

    @property
    def described(self) -> str:
        return f"answered by {self.region} in {self.seconds * 1000:.0f} ms: “{self.text[:60]}…”"


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    retry_after: str
    message: str


def ask(client: openai.OpenAI, model: str, prompt: str) -> Reply | Refusal:
    """Ask once; a refusal is an answer too."""
    started = time.monotonic()
    try:
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": prompt}], max_tokens=24
        )
    except openai.APIStatusError as error:
        headers = error.response.headers
        return Refusal(error.status_code, headers.get("retry-after", ""), error.message)
    except openai.APIConnectionError as error:
        return Refusal(0, "", str(error))
    text = raw.parse().choices[0].message.content or ""
    region = raw.headers.get(REGION, "unknown")
    return Reply(region, time.monotonic() - started, " ".join(text.split()))


def ask_until(
    client: openai.OpenAI,
    model: str,
    *,
    deadline_seconds: float,
    refused: Callable[[Refusal], None],
) -> tuple[Reply, float]:
    """Ask until somebody answers; also return the seconds since the first try.

    Raises TimeoutError, with the last refusal, when nobody does.
    """
    started = time.monotonic()
    while True:
        answer = ask(client, model, "Say what you are, in one sentence.")
        waited = time.monotonic() - started
        if isinstance(answer, Reply):
            return answer, waited
        refused(answer)
        if waited > deadline_seconds:
            message = f"{model} has not answered for {waited:.0f} s: {answer.message}"
            raise TimeoutError(message)
        time.sleep(PAUSE_SECONDS)

"""Settings of the local engine that vLLM has no flags for: how slow it pretends to be."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "LOCAL_ENGINE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    bind: str = ""
    """Address to listen on whatever --host says; a pod has its own, and all share one machine."""
    startup_seconds: float = 0.0
    """Until it listens: as long as loading weights would take."""
    first_token_seconds: float = 0.02
    """From the start of a request to its first token; short enough to be no bother."""
    token_seconds: float = 0.005
    """Between two tokens: 200 a second, as a small model gives."""
    cache_tokens: int = 262_144
    """What a full KV cache would hold; only its usage is told."""
    drain_seconds: float = 60.0
    """Given to running requests when the engine is told to end; a node here runs no preStop."""


def read(environ: Mapping[str, str]) -> Settings:
    """Take `LOCAL_ENGINE_TOKEN_SECONDS` and so on; a ValueError names the setting."""
    given: dict[str, str | float | int] = {}
    for field in fields(Settings):
        name = f"{PREFIX}{field.name}".upper()
        if name in environ:
            given[field.name] = _convert(name, environ[name], type(field.default))
    return Settings(**given)  # type: ignore[arg-type]


def _convert(name: str, text: str, kind: type) -> str | float | int:
    try:
        value: str | float | int = kind(text)
    except ValueError as error:
        raise ValueError(f"{name}: {text!r} is not a number") from error
    if not isinstance(value, str) and value < 0:
        raise ValueError(f"{name}: {text!r} is negative")
    return value

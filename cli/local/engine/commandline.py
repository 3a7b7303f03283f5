"""The command line of `vllm serve`, as far as it says what is served, and where.

Flags that only a real engine can obey are taken in and left alone, as the image's users give them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DEFAULT_LENGTH = 32_768
_UNITS = {"k": 1_000, "m": 1_000_000, "K": 1_024, "M": 1_048_576}
_SWITCHES = ("true", "false")
_ONE_VALUE = {"model", "model-tag", "host", "port", "config", "max-model-len", "max-num-seqs"}
_KNOWN = {*_ONE_VALUE, "served-model-name", "enable-lora", "lora-modules"}


class UsageError(Exception):
    """Says which flag cannot be used, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    model: str
    """As the user names it: a repository or a path."""
    served: tuple[str, ...]
    """Names that clients may use; the first is the one in answers."""
    adapters: Mapping[str, str]
    """Paths of adapters, by the names that clients may use for them."""
    host: str
    port: int
    max_model_len: int
    """Tokens of prompt and answer together."""
    max_num_seqs: int
    """Requests that run at the same time."""
    ignored: tuple[str, ...]
    """Flags without a meaning here."""


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments; a file given as --config fills in what they leave open."""
    positional, flags = _split(arguments)
    if "config" in flags:
        flags = _config(Path(_one(flags, "config"))) | flags
    model = _last(flags, "model") or _last(flags, "model-tag") or next(iter(positional), "")
    if not model:
        raise UsageError("name the model: serve MODEL")
    return Options(
        model=model,
        served=tuple(flags.get("served-model-name") or [model]),
        adapters=_adapters(flags),
        host=_last(flags, "host") or "0.0.0.0",  # noqa: S104
        port=_number(flags, "port", 8000),
        max_model_len=_length(_last(flags, "max-model-len")),
        max_num_seqs=_number(flags, "max-num-seqs", 256),
        ignored=tuple(sorted(name for name in flags if name not in _KNOWN)),
    )


def _split(arguments: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Tell what stands alone from flags with their values; a later flag replaces an earlier."""
    words = list(arguments[1:] if arguments[:1] == ["serve"] else arguments)
    positional, flags = list[str](), dict[str, list[str]]()
    while words:
        word = words.pop(0)
        if not _is_flag(word):
            positional.append(word)
            continue
        flag, equals, value = word.partition("=")
        name = flag.lstrip("-").replace("_", "-")
        flags[name] = [value] if equals else list(_values(words, name in _ONE_VALUE))
    return positional, flags


def _values(words: list[str], only_one: bool) -> Iterator[str]:
    """Take the values of a flag; one that we do not know has what follows up to the next."""
    while words and not _is_flag(words[0]):
        yield words.pop(0)
        if only_one:
            return


def _is_flag(word: str) -> bool:
    return word.startswith("-") and not word.lstrip("-")[:1].isdigit()


def _adapters(flags: Mapping[str, list[str]]) -> dict[str, str]:
    """Read `name=path` of each adapter; without --enable-lora an engine takes none."""
    given = flags.get("lora-modules", [])
    if given and "enable-lora" not in flags:
        raise UsageError("--lora-modules needs --enable-lora")
    pairs = [module.partition("=") for module in given]
    if wrong := next((name for name, _, path in pairs if not (name and path)), None):
        raise UsageError(f"--lora-modules: {wrong!r} is not name=path")
    return {name: path for name, _, path in pairs}


def _config(path: Path) -> dict[str, list[str]]:
    """Read flags from YAML, flat or under `vllm`."""
    import yaml  # noqa: PLC0415 - most engines start without a file, and faster without this

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"--config {path}: {error}") from error
    if not isinstance(content, Mapping):
        raise UsageError(f"--config {path}: not a mapping of flags")
    nested = content.get("vllm")
    flags = nested if isinstance(nested, Mapping) else content
    return {str(name).replace("_", "-"): _texts(value) for name, value in flags.items()}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def _one(flags: Mapping[str, list[str]], name: str) -> str:
    if value := _last(flags, name):
        return value
    raise UsageError(f"--{name} needs a value")


def _last(flags: Mapping[str, list[str]], name: str) -> str:
    values = [value for value in flags.get(name, []) if value not in _SWITCHES]
    return values[-1] if values else ""


def _number(flags: Mapping[str, list[str]], name: str, default: int) -> int:
    if name not in flags:
        return default
    text = _one(flags, name)
    if not text.isdigit() or (text == "0" and name != "port"):
        raise UsageError(f"--{name}: {text!r} is not a positive number")
    return int(text)


def _length(text: str) -> int:
    """Read a length such as 4096, 8k, 1.5K or auto."""
    if text in ("", "auto", "-1"):
        return _DEFAULT_LENGTH
    unit = _UNITS.get(text[-1], 1)
    try:
        length = int(float(text[:-1] if text[-1] in _UNITS else text) * unit)
    except ValueError as error:
        raise UsageError(f"--max-model-len: {text!r} is not a length") from error
    if length < 1:
        raise UsageError(f"--max-model-len: {text!r} is not a length")
    return length

"""The Dockerfile as a test reads it: its stages, and what each does."""

import json
from dataclasses import dataclass
from pathlib import Path

from dockerfile_parse import DockerfileParser

REPOSITORY = Path(__file__).parents[3]
TARGETS = ("hub", "member-agent", "gateway")


@dataclass(frozen=True, slots=True)
class Copy:
    stage: str
    """Whose files are copied; the build context's where it is empty."""
    sources: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    base: str
    steps: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        return [value for name, value in self.steps if name == instruction]

    def last(self, instruction: str) -> str:
        return self.all(instruction)[-1]

    def command(self, instruction: str) -> list[str]:
        """Read words that no shell sees."""
        value = self.last(instruction)
        words: list[str] = json.loads(value[value.index("[") :])
        return words

    def copies(self) -> list[Copy]:
        return [_copy(value) for value in self.all("COPY")]


def stages() -> dict[str, Stage]:
    """Read the stages in their order; what stands before the first is its own, with no name."""
    found: dict[str, Stage] = {}
    name, base = "", ""
    steps: list[tuple[str, str]] = []
    with (REPOSITORY / "Dockerfile").open("rb") as file:
        for step in DockerfileParser(fileobj=file).structure:
            if step["instruction"] == "COMMENT":
                continue
            if step["instruction"] == "FROM":
                found[name] = Stage(name, base, tuple(steps))
                base, _, name = step["value"].split()
                steps = []
                continue
            steps.append((step["instruction"], step["value"]))
    found[name] = Stage(name, base, tuple(steps))
    return found


def _copy(value: str) -> Copy:
    flags = [word for word in value.split() if word.startswith("--")]
    words = [word for word in value.split() if not word.startswith("--")]
    stage = next((flag.removeprefix("--from=") for flag in flags if "--from=" in flag), "")
    return Copy(stage, tuple(words[:-1]), words[-1])

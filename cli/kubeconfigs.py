"""Which kubeconfig and context of the user's leads to a member: named, called like it, or local."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.hub_access import local_fleet


class NoContextError(Exception):
    """No context leads to a member; the text says how to name one."""


@dataclass(frozen=True, slots=True)
class Access:
    """What kubectl is told, to reach a cluster."""

    kubeconfig: str
    context: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        context = (f"--context={self.context}",) if self.context else ()
        return (f"--kubeconfig={self.kubeconfig}", *context)


def named_contexts(given: list[str]) -> dict[str, str]:
    """Read `us=prod-us` and so on; NoContextError says what is none."""
    pairs = [text.partition("=") for text in given]
    if wrong := [
        text for text, (name, _, at) in zip(given, pairs, strict=True) if not at or not name
    ]:
        raise NoContextError(f"--context {wrong[0]} is not MEMBER=CONTEXT, such as us=prod-us")
    return {member: context for member, _, context in pairs}


def access(
    member: str, hub_kubeconfig: str, contexts: Mapping[str, str], environ: Mapping[str, str]
) -> Access:
    """Find the way to a member.

    The hub's kubeconfig holds the contexts; a local fleet's members have files of their own.
    NoContextError where there is none.
    """
    fleet = local_fleet(hub_kubeconfig, environ)
    if fleet and member in fleet.members:
        return Access(str(fleet.kubeconfig(member)))
    wanted = contexts.get(member, member)
    if wanted in (known := _contexts(Path(hub_kubeconfig))):
        return Access(hub_kubeconfig, wanted)
    there = ", ".join(sorted(known)) or "none"
    hint = f"say --context {member}=CONTEXT, of those in {hub_kubeconfig}: {there}"
    raise NoContextError(f"no context `{wanted}` leads to the member {member}: {hint}")


def _contexts(path: Path) -> set[str]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {str(context["name"]) for context in document["contexts"]}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return set()

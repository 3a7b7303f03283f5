"""The process that stands for a container: its command, its variables. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.local.runner.expansion import expand, relocate
from cli.local.runner.pods import Container, Pod

_ENTRYPOINT = ("vllm", "serve")
_ENGINE = "-I -m cli.local.engine"


@dataclass(frozen=True, slots=True)
class Command:
    argv: tuple[str, ...]
    environ: Mapping[str, str]


def command(
    container: Container,
    variables: Mapping[str, str],
    mounts: Mapping[str, str],
    own: Mapping[str, str],
) -> Command:
    """Give what to run; `own` are variables of ours, which the pod's do not replace."""
    known: dict[str, str] = {}
    for name, value in variables.items():
        known[name] = relocate(expand(value, known), mounts)
    words = (*(container.command or _ENTRYPOINT), *container.args)
    argv = tuple(relocate(expand(word, known), mounts) for word in words)
    return Command(argv, {**known, **own})


def own_variables(pod: Pod, address: str, home: Path, path: str) -> dict[str, str]:
    """Give what a container has beside its own variables: a path, a home, and its address."""
    return {
        "PATH": path,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "HOSTNAME": pod.name,
        "LOCAL_ENGINE_BIND": address,
        "LOCAL_ENGINE_LOG": "container",
    }


def programs(python: str) -> dict[str, str]:
    """Give the scripts that stand for the programs of the engine's image, by name."""
    run = shlex.quote(python)
    vllm = f'#!/bin/sh\nexec {run} {_ENGINE} "$@"\n'
    starts = f'"-m vllm.entrypoints"*) shift 2; exec {run} {_ENGINE} "$@";;'
    plain = f'#!/bin/sh\ncase "$1 $2" in {starts} esac\nexec {run} "$@"\n'
    return {"vllm": vllm, "python3": plain, "python": plain}

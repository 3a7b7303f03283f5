"""The adapters of a preset: where their files come from, and how the engine is told of them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fleet.api import names
from fleet.api.workspace import Adapter, DataSource, Workspace
from member_agent.controllers.workspace.plan.actions import Body, Refusal
from member_agent.controllers.workspace.plan.config import Settings

MOUNT: Final = "/mnt/adapter"
LOGINS: Final = "/mnt/logins"
VOLUME: Final = "adapter-volume"
FULL_STRENGTH: Final = "1.0"
MOST: Final = 10
SUBDOMAIN: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
LONGEST_LABEL: Final = 40
PULL: Final = f"""\
rm -rf "$DIR" "$DIR.part" && mkdir -p "$DIR.part" && cd "$DIR.part" || exit 1
for login in {LOGINS}/*; do
  DOCKER_CONFIG="$login" crane export "$IMAGE" image.tar || continue
  tar -xf image.tar data && mv data "$DIR" && cd / && exec rm -rf "$DIR.part"
  echo "$IMAGE has no folder /data that can be unpacked" >&2
  exit 1
done
exit 1
"""
"""Each login is tried in turn; without one the glob stays as it is, and nobody logs in."""


def adapters_of(workspace: Workspace) -> tuple[Adapter, ...]:
    return workspace.inference.adapters if workspace.inference else ()


def adapter_names(workspace: Workspace) -> tuple[str, ...]:
    """Name the adapters as clients do: each is served as a model of its own."""
    return tuple(source.name for source in _sources(workspace))


def unfit(workspace: Workspace, served: str, settings: Settings) -> Refusal | None:
    """Find what is wrong with the adapters, the first thing first."""
    given = adapters_of(workspace)
    if not given:
        return None
    told = (*_of_all(workspace, served, settings), *_of_each(given))
    return Refusal(f"inference.adapters{told[0]}") if told else None


def _of_all(workspace: Workspace, served: str, settings: Settings) -> Iterator[str]:
    given = adapter_names(workspace)
    if len(adapters_of(workspace)) > MOST:
        yield f": Number of Adapters exceeds the maximum limit, maximum of {MOST} allowed"
    if workspace.inference and workspace.inference.preset is None:
        yield ": adapters go with a preset; a template brings its own engine, which is told there"
    for name in dict.fromkeys(name for name in given if given.count(name) > 1):
        yield f": Duplicate adapter source name found: {name}; give each its own"
    if served in given:
        yield f": {served} is what the model itself is called; give the adapter another name"
    for flag in ("lora-modules", "enable-lora"):
        if flag in settings:
            yield f": inference.config sets {flag}, which is ours to set; take it out there"


def _of_each(adapters: Sequence[Adapter]) -> Iterator[str]:
    for index, adapter in enumerate(adapters):
        for told in _of_one(adapter):
            yield f"[{index}]{told}"


def _of_one(adapter: Adapter) -> Iterator[str]:
    source = adapter.source
    if source is None:
        yield ".source: Source must be specified; give an image or a volumeSource"
        return
    if not SUBDOMAIN.fullmatch(source.name):
        yield f".source.name: {source.name!r} must be a DNS subdomain name, such as sql-helper"
    if source.urls:
        yield ".source.urls: adapters are not fetched from URLs; give an image or a volumeSource"
    if bool(source.image) == (source.volume_source is not None):
        yield ".source: give either an image or a volumeSource"
    if adapter.strength != FULL_STRENGTH:
        yield f".strength: vLLM does not support adapter strength; leave it out, or {FULL_STRENGTH}"


def lora_flags(workspace: Workspace) -> tuple[str, ...]:
    """Serve each adapter as a model; all of them may be in one batch."""
    given = adapter_names(workspace)
    if not given:
        return ()
    modules = (f"{name}={MOUNT}/{name}" for name in given)
    return ("--enable-lora", f"--max-loras={len(given)}", "--lora-modules", *modules)


def pullers(workspace: Workspace, image: str) -> list[Body]:
    """Fetch the adapters that are in images before the engine starts."""
    return [_puller(source, image) for source in _sources(workspace) if source.image]


def adapter_volumes(workspace: Workspace) -> list[Body]:
    sources = _sources(workspace)
    pulled = [source for source in sources if source.image]
    logins = [_login(source) for source in pulled if source.image_pull_secrets]
    there = [
        {"name": _called("source", source), **source.volume_source}
        for source in sources
        if source.volume_source is not None
    ]
    return [*([{"name": VOLUME, "emptyDir": {}}] if pulled else ()), *logins, *there]


def adapter_mounts(workspace: Workspace) -> list[Body]:
    """Show the engine each adapter in a folder of its name."""
    return [
        {
            "mountPath": f"{MOUNT}/{source.name}",
            "readOnly": True,
            **(
                {"name": VOLUME, "subPath": source.name}
                if source.image
                else {"name": _called("source", source)}
            ),
        }
        for source in _sources(workspace)
    ]


def _sources(workspace: Workspace) -> tuple[DataSource, ...]:
    return tuple(adapter.source for adapter in adapters_of(workspace) if adapter.source)


def _puller(source: DataSource, image: str) -> Body:
    login = {"name": _called("login", source), "mountPath": LOGINS, "readOnly": True}
    return {
        "name": f"puller-{_label(source)}",
        "image": image,
        "command": ["sh", "-c", PULL],
        "env": [
            {"name": "IMAGE", "value": source.image},
            {"name": "DIR", "value": f"{MOUNT}/{source.name}"},
        ],
        "volumeMounts": [
            {"name": VOLUME, "mountPath": MOUNT},
            *([login] if source.image_pull_secrets else ()),
        ],
    }


def _login(source: DataSource) -> Body:
    """Give each Secret a folder, as the puller reads one at a time."""
    secrets = [
        {
            "secret": {
                "name": secret,
                "items": [{"key": ".dockerconfigjson", "path": f"{index}/config.json"}],
            }
        }
        for index, secret in enumerate(source.image_pull_secrets)
    ]
    return {"name": _called("login", source), "projected": {"sources": secrets}}


def _called(use: str, source: DataSource) -> str:
    return f"adapter-{use}-{_label(source)}"


def _label(source: DataSource) -> str:
    """Give a name that containers and volumes may have: no dots, and not too long."""
    name = source.name
    if "." not in name and len(name) <= LONGEST_LABEL:
        return name
    return f"{name[: LONGEST_LABEL - 9].replace('.', '-')}-{names.digest(name)}"

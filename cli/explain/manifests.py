"""Manifests from files, each with where it stands, so that an error can name it."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from fleet.api.objects import Resource

R = TypeVar("R", bound=Resource)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ExplainError(Exception):
    """What the user asked cannot be answered; the text names the file, document and field."""


@dataclass(frozen=True, slots=True)
class Manifest:
    file: str
    document: int
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.body.get("kind", ""))

    def is_a(self, model: type[Resource]) -> bool:
        """Compare group and kind; the versions of a kind are read alike."""
        group = str(self.body.get("apiVersion", "")).rpartition("/")[0]
        return (group, self.kind) == (model.API.rpartition("/")[0], model.kind())

    @property
    def where(self) -> str:
        metadata = self.body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        name = name or "without a name"
        return f"{self.file}, document {self.document} ({self.kind or 'no kind'} {name})"

    def parse(self, model: type[R], *, namespace: str = "") -> R:
        """Read it as a kind; ExplainError names the first field that is wrong."""
        metadata = self.body.get("metadata") or {}
        if namespace and isinstance(metadata, dict):
            metadata = {"namespace": namespace, **metadata}
        try:
            return model.model_validate({**self.body, "metadata": metadata})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise ExplainError(f"{self.where}: {field}: {first['msg']}") from error


def read(paths: Iterable[str]) -> list[Manifest]:
    """Read YAML or JSON files, and standard input for `-`; a List is what it holds."""
    return [manifest for path in paths for manifest in _read(path)]


def _read(path: str) -> Iterator[Manifest]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        documents = list(yaml.load_all(text, Loader=_Loader))
    except OSError as error:
        raise ExplainError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExplainError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    for number, document in enumerate(documents, start=1):
        if document is None:
            continue
        yield from _items(_manifest(path, number, document))


def _manifest(path: str, number: int, body: object) -> Manifest:
    if not isinstance(body, dict):
        raise ExplainError(f"{path}, document {number}: is not an object")
    return Manifest(path, number, body)


def _items(manifest: Manifest) -> Iterator[Manifest]:
    if not manifest.kind.endswith("List"):
        yield manifest
        return
    items = manifest.body.get("items") or []
    if not isinstance(items, list):
        raise ExplainError(f"{manifest.where}: items: is not a list")
    for item in items:
        yield _manifest(manifest.file, manifest.document, item)

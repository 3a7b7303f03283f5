"""CustomResourceDefinitions: the kinds with their versions, columns and schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleet.api.crd import descriptions
from fleet.api.crd.fields import Json, bounds
from fleet.api.crd.kinds import Column, Kind
from fleet.api.crd.openapi import object_schema
from fleet.api.schema import PRESETS, Schema


@dataclass(frozen=True, slots=True)
class Presets:
    """Names of models: those that pass, in lower case, and those that are shown."""

    known: tuple[str, ...]
    shown: tuple[str, ...]


_API_VERSION = "Version of the API that the object is written in."
_KIND = "Kind of the object."


def definition(kind: Kind, presets: Presets) -> Json:
    """Define a kind, with the model names that its rules let pass."""
    model = kind.model
    manifest = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": model.crd()},
        "spec": {
            "group": model.group(),
            "names": _names(kind),
            "scope": "Namespaced" if model.NAMESPACED else "Cluster",
            "versions": [_version(kind, version) for version in kind.versions],
        },
    }
    filled: Json = _fill(manifest, presets)
    return filled


def _names(kind: Kind) -> Json:
    name = kind.model.kind()
    names: Json = {
        "kind": name,
        "listKind": f"{name}List",
        "plural": kind.model.plural(),
        "singular": name.lower(),
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    if kind.categories:
        names["categories"] = list(kind.categories)
    return names


def _version(kind: Kind, version: str) -> Json:
    columns = [_column(column) for column in kind.columns if version in column.versions(kind)]
    served = {
        "name": version,
        "served": True,
        "storage": version == kind.model.version(),
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": _root(kind, version)},
        "subresources": _subresources(kind),
    }
    return {name: value for name, value in served.items() if value not in ([], {})}


def _subresources(kind: Kind) -> Json:
    status: Json = {"status": {}} if kind.status else {}
    return status | ({"scale": kind.scale} if kind.scale else {})


def _column(column: Column) -> Json:
    printed: Json = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return printed | ({"priority": 1} if column.wide else {})


def _root(kind: Kind, version: str) -> Json:
    schema = object_schema(kind.model, version)
    schema["properties"] = {
        "apiVersion": {"description": _API_VERSION, "type": "string"},
        "kind": {"description": _KIND, "type": "string"},
        **schema["properties"],
        "metadata": {"type": "object"},
    }
    schema["required"] = [name for name in schema.get("required", ()) if name != "metadata"]
    if not schema["required"]:
        del schema["required"]
    if kind.spec_rules:
        _add_rules(schema["properties"]["spec"], kind)
    _own_maps(schema["properties"].get("status", {}))
    return {"description": descriptions.of_class(kind.model)} | schema


def _own_maps(schema: Json) -> None:
    """Give each map of a status to its one reporter, whole.

    One whose last entry is applied away becomes null otherwise, which no schema takes.
    """
    if "additionalProperties" in schema:
        schema["x-kubernetes-map-type"] = "atomic"
    for nested in schema.get("properties", {}).values():
        _own_maps(nested)
    if items := schema.get("items"):
        _own_maps(items)


def _add_rules(spec: Json, kind: Kind) -> None:
    more = bounds(Schema(rules=kind.spec_rules))["x-kubernetes-validations"]
    spec["x-kubernetes-validations"] = [*spec.get("x-kubernetes-validations", ()), *more]


def _fill(value: Any, presets: Presets) -> Any:
    match value:
        case dict():
            return {key: _fill_entry(key, item, presets) for key, item in value.items()}
        case list():
            return [_fill(item, presets) for item in value]
        case _:
            return value


def _fill_entry(key: str, value: Any, presets: Presets) -> Any:
    match key, value:
        case "rule", str(rule):
            names = ", ".join(f"'{name}'" for name in presets.known)
            return rule.replace(PRESETS, f"[{names}]")
        case "description", str(text):
            return text.replace(PRESETS, ", ".join(presets.shown))
        case _:
            return _fill(value, presets)


def undescribed(schema: Json, path: str = "") -> Iterator[str]:
    """Name the fields of a schema that nothing is said about."""
    for name, field in schema.get("properties", {}).items():
        if not field.get("description") and (path or name != "metadata"):
            yield f"{path}.{name}"
        yield from undescribed(field, f"{path}.{name}")
    for nested in ("items", "additionalProperties"):
        if isinstance(schema.get(nested), dict):
            yield from undescribed(schema[nested], f"{path}[]")

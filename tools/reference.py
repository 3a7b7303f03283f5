"""Writes the API reference: a page for each group, with every field of its kinds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from tools.markdown import cell

Json = dict[str, Any]
GROUPS: Final = {
    "modelfleet.dev": "What modelfleet adds: one intent for a model, and what clients call it by.",
    "aitoolchain.io": "The same ModelDeployment, under the group that it is known by.",
    "kaito.sh": "KAITO's workloads. Its manifests apply as they are.",
    "cluster.kubernetes-fleet.io": "KubeFleet's membership: which clusters the fleet has.",
    "placement.kubernetes-fleet.io": "KubeFleet's placements, and what becomes of them.",
    "multicluster.x-k8s.io": "The fleet's clusters, for tools of SIG Multicluster.",
}
_NOTE: Final = (
    "<!-- Generated from fleet/api by `make generate`: change the models, not this file. -->\n"
)
_SHARED: Final = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True, slots=True)
class Field:
    """A field as a row of the table."""

    path: str
    """`spec.policy.clusterNames[]`: `[]` is each of a list, `{}` each of a map."""
    type: str
    required: bool
    description: str

    def row(self) -> str:
        need = " *required*" if self.required else ""
        text = cell(self.description.replace("\n", " ")).replace("<", "&lt;")
        return f"| `{self.path}` | {self.type}{need} | {text} |"


def pages(definitions: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each group's page."""
    ordered = sorted(definitions, key=_place)
    for group, kinds in groupby(ordered, key=lambda crd: str(crd["spec"]["group"])):
        sections = "\n".join(_section(crd) for crd in kinds)
        yield f"{group}.md", f"{_NOTE}\n# {group}\n\n{GROUPS[group]}\n\n{sections}"


def _place(definition: Json) -> tuple[int, str]:
    spec = definition["spec"]
    return list(GROUPS).index(spec["group"]), spec["names"]["kind"]


def _section(definition: Json) -> str:
    spec = definition["spec"]
    names, versions = spec["names"], [version["name"] for version in spec["versions"]]
    schema = spec["versions"][-1]["schema"]["openAPIV3Schema"]
    facts = [
        f"`{spec['group']}/{versions[-1]}`",
        _said("also", versions[:-1]),
        spec["scope"].lower(),
        _said("short", names.get("shortNames", ())),
    ]
    rows = "\n".join(field.row() for field in fields(schema))
    head = "| Field | Type | |\n| --- | --- | --- |"
    said = ", ".join(filter(None, facts))
    return f"## {names['kind']}\n\n{schema['description']}\n\n{said}\n\n{head}\n{rows}\n"


def _said(word: str, names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"{word} {listed}" if listed else ""


def fields(schema: Json, path: str = "") -> Iterator[Field]:
    """Walk over all fields below a schema, each before those below it."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        if not path and name in _SHARED:
            continue
        here = f"{path}.{name}" if path else name
        yield Field(here, _type(field), name in required, _description(field))
        yield from _below(field, here)


def _below(field: Json, path: str) -> Iterator[Field]:
    match field:
        case {"items": {**items}}:
            yield from _below(items, f"{path}[]")
        case {"additionalProperties": {**values}}:
            yield from _below(values, f"{path}{{}}")
        case _:
            yield from fields(field, path)


def _type(field: Json) -> str:
    match field:
        case {"enum": choices}:
            found = "one of " + ", ".join(f"`{choice}`" for choice in choices)
        case {"items": {**items}}:
            found = f"list of {_type(items)}"
        case {"additionalProperties": {**values}}:
            found = f"map to {_type(values)}"
        case {"format": "date-time"}:
            found = "time"
        case _:
            found = str(field.get("type", "integer or string"))
    return found


def _description(field: Json) -> str:
    """Say what it is, and what stands where nothing is given."""
    text = str(field.get("description", ""))
    return f"{text} Default: `{field['default']}`." if "default" in field else text

"""The API reference names every field, with its type and what stands where nothing is given."""

from typing import Any

from tools.reference import pages

SCHEMA: dict[str, Any] = {
    "description": "Holds things.",
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string", "description": "Not told again."},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "description": "What to hold.",
            "required": ["things"],
            "properties": {
                "things": {
                    "type": "array",
                    "description": "Things | objects.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "size": {"enum": ["S", "L"], "default": "S", "description": "Size."},
                            "made": {
                                "type": "string",
                                "format": "date-time",
                                "description": "When.",
                            },
                        },
                    },
                },
                "labels": {
                    "type": "object",
                    "description": "Labels.",
                    "additionalProperties": {
                        "x-kubernetes-int-or-string": True,
                        "anyOf": [{"type": "integer"}, {"type": "string"}],
                    },
                },
            },
        },
    },
}


def crd(kind: str, group: str) -> dict[str, Any]:
    versions = [{"name": name, "schema": {"openAPIV3Schema": SCHEMA}} for name in ("v1", "v2")]
    names = {"kind": kind, "shortNames": ["h"]}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": versions}
    return {"spec": spec}


def test_a_kind_is_described_field_by_field() -> None:
    ((name, text),) = pages([crd("Holder", "kaito.sh")])
    assert name == "kaito.sh.md"
    assert text.splitlines()[6:] == [
        "## Holder",
        "",
        "Holds things.",
        "",
        "`kaito.sh/v2`, also `v1`, namespaced, short `h`",
        "",
        "| Field | Type | |",
        "| --- | --- | --- |",
        "| `spec` | object *required* | What to hold. |",
        "| `spec.things` | list of object *required* | Things \\| objects. |",
        "| `spec.things[].size` | one of `S`, `L` | Size. Default: `S`. |",
        "| `spec.things[].made` | time | When. |",
        "| `spec.labels` | map to integer or string | Labels. |",
    ]


def test_each_group_has_a_page_ours_first_and_its_kinds_by_name() -> None:
    made = [crd("B", "kaito.sh"), crd("A", "kaito.sh"), crd("C", "modelfleet.dev")]
    (first, _), (second, text) = pages(made)
    assert (first, second) == ("modelfleet.dev.md", "kaito.sh.md")
    assert text.index("## A") < text.index("## B")

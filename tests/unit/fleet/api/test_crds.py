"""The committed CRDs are what the models say, and say all that a user asks."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.api.conditions import Condition
from fleet.api.crd.definition import undescribed
from fleet.api.crd.kinds import KINDS
from fleet.api.crd.openapi import object_schema
from fleet.api.placement import Policy
from tools.generate import generated

CRDS = Path(__file__).parents[4] / "crds"
FILES = sorted(CRDS.glob("*.yaml"))


def versions(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)["spec"][
        "versions"
    ]
    return found


def test_the_committed_files_are_what_the_models_say() -> None:
    made = {path: text for path, text in generated() if path.parent == CRDS}
    assert {path: path.read_text("utf-8") for path in FILES} == made


def test_there_is_one_definition_for_each_kind() -> None:
    assert len(FILES) == len(KINDS) == len({kind.model.crd() for kind in KINDS})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_field_says_what_it_is(file: Path) -> None:
    for version in versions(file):
        schema = version["schema"]["openAPIV3Schema"]
        assert schema["description"]
        assert list(undescribed(schema)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_version_that_the_models_are_written_in_is_the_stored_one(file: Path) -> None:
    stored = [version["name"] for version in versions(file) if version["storage"]]
    kind = next(k for k in KINDS if f"{k.model.group()}_{k.model.plural()}" == file.stem)
    assert stored == [kind.model.version()]
    assert tuple(version["name"] for version in versions(file)) == kind.versions


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_conditions_are_kept_as_a_map_by_type(file: Path) -> None:
    for version in versions(file):
        for conditions in _named("conditions", version["schema"]["openAPIV3Schema"]):
            assert conditions["x-kubernetes-list-type"] == "map"
            assert conditions["x-kubernetes-list-map-keys"] == ["type"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_rule_walks_is_bounded(file: Path) -> None:
    for version in versions(file):
        for schema in _all(version["schema"]["openAPIV3Schema"]):
            if schema.get("type") == "array" and "x-kubernetes-validations" in schema:
                assert schema["maxItems"] <= 100


def _named(name: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [s["properties"][name] for s in _all(schema) if name in s.get("properties", {})]


def _all(schema: dict[str, Any]) -> list[dict[str, Any]]:
    nested = [*schema.get("properties", {}).values()]
    nested += [schema[k] for k in ("items", "additionalProperties") if k in schema]
    return [schema, *(found for each in nested for found in _all(each))]


def test_a_whole_number_of_kubefleets_has_the_width_that_it_has_there() -> None:
    """Servers before Kubernetes 1.35 take any, so no table of theirs can tell."""
    policy = object_schema(Policy, "v1beta1")["properties"]
    condition = object_schema(Condition, "v1beta1")["properties"]
    assert policy["numberOfClusters"]["format"] == "int32"
    assert condition["observedGeneration"]["format"] == "int64"

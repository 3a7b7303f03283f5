"""Snapshots belong together by their index, and only a whole group counts."""

from typing import Any

import pytest

from fleet.api import names
from fleet.api.scope import NAMESPACED
from fleet.api.snapshot import Demand, PolicySnapshot, Snapshot
from fleet.engine.snapshots import (
    NO_DEMANDS,
    canonical,
    demands_digest,
    group_of,
    groups,
    newest,
    newest_policy,
    policy_hash,
    subindex_of,
)


def part(
    index: str, sub: str | None = None, *, parts: int = 1, dying: bool = False, **spec: Any
) -> Snapshot:
    labels = {names.RESOURCE_INDEX: index} if index else {}
    notes = {names.NUMBER_OF_SNAPSHOTS: str(parts)} if sub is None else {names.SUBINDEX: sub}
    metadata: dict[str, Any] = {
        "name": f"llama-{index}-{'snapshot' if sub is None else sub}",
        "labels": labels,
        "annotations": notes,
    }
    if dying:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return NAMESPACED.resources.model_validate({"metadata": metadata, "spec": spec})


def policy(index: str, *, latest: bool = True, dying: bool = False) -> PolicySnapshot:
    labels = {names.POLICY_INDEX: index, names.LATEST: str(latest).lower()}
    metadata: dict[str, Any] = {"name": f"llama-{index}", "labels": labels}
    if dying:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return NAMESPACED.policy.model_validate({"metadata": metadata})


@pytest.mark.parametrize(
    ("snapshots", "name"),
    [
        ([], None),
        ([part("0")], "llama-0-snapshot"),
        ([part("10"), part("9")], "llama-10-snapshot"),
        ([part("0"), part("1", parts=2)], "llama-0-snapshot"),
        ([part("0"), part("1", parts=2), part("1", "0")], "llama-1-snapshot"),
        ([part("0"), part("1", "0")], "llama-0-snapshot"),
        ([part("0"), part("1", dying=True)], "llama-0-snapshot"),
        ([part("x")], "llama-x-snapshot"),
    ],
    ids=[
        "none",
        "one",
        "by number and not by text",
        "half written",
        "whole",
        "no master",
        "on its way out",
        "no number",
    ],
)
def test_the_newest_is_the_last_whole_group(snapshots: list[Snapshot], name: str | None) -> None:
    found = newest(snapshots)
    assert (found.master.name if found else None) == name


def test_parts_follow_their_master_by_number() -> None:
    pieces = [part("3", "10"), part("3", "2"), part("3", parts=3), part("3", "0", dying=True)]
    (group,) = groups(pieces)
    assert [subindex_of(one) for one in group.all] == [None, 2, 10]
    assert group.complete


def test_a_group_gives_the_manifests_of_all_its_parts() -> None:
    first, then = (
        part("0", selectedResources=[{"n": 1}]),
        part("0", "0", selectedResources=[{"n": 2}]),
    )
    (group,) = groups([then, first])
    assert group.manifests == ({"n": 1}, {"n": 2})


@pytest.mark.parametrize(
    ("master", "found"),
    [("llama-0-snapshot", True), ("llama-1-snapshot", False), ("", False), ("llama-7-x", False)],
    ids=["whole", "half", "none named", "not there"],
)
def test_a_binding_gets_only_a_whole_group(master: str, *, found: bool) -> None:
    there = [part("0"), part("1", parts=2)]
    assert (group_of(there, master) is not None) is found


@pytest.mark.parametrize(
    ("policies", "name"),
    [
        ([policy("9"), policy("10")], "llama-10"),
        ([policy("1"), policy("2", latest=False)], "llama-1"),
        ([policy("1"), policy("2", dying=True)], "llama-1"),
        ([policy("1", latest=False)], None),
    ],
    ids=["by number", "demoted", "on its way out", "none"],
)
def test_the_newest_policy_is_the_last_that_says_so(
    policies: list[PolicySnapshot], name: str | None
) -> None:
    found = newest_policy(policies)
    assert (found.name if found else None) == name


def test_equal_values_have_equal_hashes_however_they_are_written() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
    assert policy_hash({"a": 1}) != policy_hash({"a": 2})
    one, two = (Demand(kind="W", namespace="n", name="x", replicas=r) for r in (1, 2))
    assert demands_digest([one]) != demands_digest([two])
    assert demands_digest([]) == NO_DEMANDS

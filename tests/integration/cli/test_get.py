"""`modelfleet get` of what is on a hub: a real API server."""

import asyncio
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api.core import Namespace
from fleet.api.objects import Metadata
from fleet.api.work import Work
from fleet.kube.client import ApiClient


async def got(kubeconfig: Path, *arguments: str) -> Result:
    words = ["get", *arguments, "--kubeconfig", str(kubeconfig)]
    wide = {"TERMINAL_WIDTH": "200"}
    return await asyncio.to_thread(CliRunner().invoke, build(words), words, env=wide)


async def items(kubeconfig: Path, *arguments: str) -> list[Any]:
    listed = json.loads((await got(kubeconfig, *arguments, "-o", "json")).stdout)
    assert listed["kind"] == "List"
    return list(listed["items"])


async def test_objects_are_shown_to_people_and_whole_to_programs(
    kubeconfig: Path, client: ApiClient
) -> None:
    namespace = "fleet-member-got"
    await client.create(Namespace(metadata=Metadata(name=namespace)))
    for name in ("one", "two"):
        metadata = Metadata(name=name, namespace=namespace, labels={"called": name})
        await client.create(Work(metadata=metadata))
    table = await got(kubeconfig, "works", "-n", namespace)
    assert [line.split()[:3] for line in table.stdout.splitlines()] == [
        ["MEMBER", "NAME", "MANIFESTS"],
        ["got", "one", "0"],
        ["got", "two", "0"],
    ]
    (work,) = await items(kubeconfig, "works", "-n", namespace, "-l", "called=two")
    assert (work["kind"], work["metadata"]["name"]) == ("Work", "two")
    named = await got(kubeconfig, "works", "one", "-n", namespace)
    assert "two" not in named.stdout
    unknown = await got(kubeconfig, "works", "three", "-n", namespace)
    assert unknown.exit_code == 1
    assert f"none of the works named three in {namespace}" in unknown.output


async def test_a_namespace_without_any_has_none(kubeconfig: Path) -> None:
    assert await items(kubeconfig, "placements", "-n", "kube-public") == []


async def test_a_hub_that_is_away_is_named(tmp_path: Path) -> None:
    result = await got(tmp_path / "none", "members")
    assert result.exit_code == 1
    assert str(tmp_path / "none") in result.output

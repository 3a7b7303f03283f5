"""What a pod refers to is read, and what is missing is named."""

from pathlib import Path
from typing import Any

import pytest

from cli.local.runner.surroundings import ConfigError, Surroundings, mounts
from fleet.testing.client import FakeClient
from tests.unit.cli.local.runner.builders import engine, pod

CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "conf", "namespace": "default"},
    "data": {"a.yaml": "port: 1", "b": "2"},
}
SECRET = CONFIG | {"kind": "Secret", "data": {"token": "c2VjcmV0"}}


@pytest.fixture
def client() -> FakeClient:
    client = FakeClient()
    client.put(CONFIG)
    client.put(SECRET)
    return client


def around(client: FakeClient, **parts: Any) -> Surroundings:
    metadata = {"labels": {"app": "phi"}, "annotations": {"x/y": "z"}}
    return Surroundings(client, pod(metadata=metadata, **parts), "127.1.0.1")


def source(kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {kind: fields}}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({"name": "V", "value": "1"}, "1"),
        ({"name": "V"}, ""),
        (source("fieldRef", fieldPath="metadata.name"), "phi-0"),
        (source("fieldRef", fieldPath="status.podIP"), "127.1.0.1"),
        (source("fieldRef", fieldPath="metadata.labels['app']"), "phi"),
        (source("fieldRef", fieldPath='metadata.annotations["x/y"]'), "z"),
        (source("fieldRef", fieldPath="spec.nodeName"), "gpu-0"),
        (source("configMapKeyRef", name="conf", key="b"), "2"),
        (source("secretKeyRef", name="conf", key="token"), "secret"),
        (source("resourceFieldRef", resource="limits.cpu"), ""),
    ],
)
async def test_a_variable_has_its_value(
    client: FakeClient, variable: dict[str, Any], value: str
) -> None:
    assert await around(client).variables(engine(env=[variable])) == {"V": value}


@pytest.mark.parametrize("optional", [True, False])
@pytest.mark.parametrize(
    ("name", "why"),
    [("conf", "couldn't find key no in Secret default/conf"), ("none", 'secret "default/none"')],
)
async def test_what_is_missing_is_named_unless_it_is_optional(
    client: FakeClient, name: str, why: str, optional: bool
) -> None:
    container = engine(env=[source("secretKeyRef", name=name, key="no", optional=optional)])
    if optional:
        assert await around(client).variables(container) == {}
        return
    with pytest.raises(ConfigError, match=why):
        await around(client).variables(container)


async def test_all_of_a_config_map_can_be_variables(client: FakeClient) -> None:
    container = engine(
        envFrom=[{"prefix": "P_", "configMapRef": {"name": "conf"}}],
        env=[{"name": "P_b", "value": "own"}],
    )
    assert await around(client).variables(container) == {"P_a.yaml": "port: 1", "P_b": "own"}


def files(folder: Path) -> dict[str, str]:
    found = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_text() for file in found}


async def test_volumes_become_files(client: FakeClient, tmp_path: Path) -> None:
    volumes = [
        {"name": "all", "configMap": {"name": "conf"}},
        {"name": "some", "configMap": {"name": "conf", "items": [{"key": "b", "path": "x/y"}]}},
        {"name": "key", "secret": {"secretName": "conf"}},
        {"name": "none", "configMap": {"name": "none", "optional": True}},
        {"name": "shm", "emptyDir": {}},
    ]
    places = await around(client, spec={"volumes": volumes}).volumes(tmp_path)
    assert files(tmp_path) == {
        "all/a.yaml": "port: 1",
        "all/b": "2",
        "some/x/y": "2",
        "key/token": "secret",
    }
    assert (tmp_path / "key" / "token").stat().st_mode & 0o077 == 0
    container = engine(
        volumeMounts=[
            {"name": "all", "mountPath": "/mnt/config/"},
            {"name": "some", "mountPath": "/etc/y", "subPath": "x/y"},
            {"name": "else", "mountPath": "/else"},
        ]
    )
    assert mounts(container, places) == {
        "/mnt/config": str(tmp_path / "all"),
        "/etc/y": str(tmp_path / "some" / "x" / "y"),
    }


@pytest.mark.parametrize("item", [{"key": "no", "path": "a"}, {"key": "b", "path": "../../b"}])
async def test_a_file_that_cannot_be_written_is_named(
    client: FakeClient, tmp_path: Path, item: dict[str, str]
) -> None:
    volumes = [{"name": "some", "configMap": {"name": "conf", "items": [item]}}]
    with pytest.raises(ConfigError, match="volume some"):
        await around(client, spec={"volumes": volumes}).volumes(tmp_path)

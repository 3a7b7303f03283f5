"""What a container finds when it starts: its variables and its files.

A process shares the machine's file system, so a volume cannot be mounted where the pod says: its
files are written into the pod's own folder, and the mount path is replaced by that folder's in the
container's command, arguments and variables.
"""

import base64
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.local.runner.pods import Container, Item, Pod, Reference, Variable, Volume
from fleet.api.core import ConfigMap, Secret
from fleet.api.objects import Key
from fleet.kube.client import Client

Data = Mapping[str, bytes]


class ConfigError(Exception):
    """Says what a container cannot start without."""


class Surroundings:
    """Reads what a pod refers to."""

    def __init__(self, client: Client, pod: Pod, address: str) -> None:
        self._client, self._pod = client, pod
        self._fields = _fields(pod, address)

    async def variables(self, container: Container) -> dict[str, str]:
        """Give the container's variables, not yet expanded; a ConfigError names what is missing."""
        variables: dict[str, str] = {}
        for source in container.env_from:
            for kind, reference in (
                (ConfigMap, source.config_map_ref),
                (Secret, source.secret_ref),
            ):
                data = await self._data(kind, reference) if reference else {}
                variables |= {f"{source.prefix}{k}": v.decode() for k, v in data.items()}
        for variable in container.env:
            value = await self._value(variable)
            if value is not None:
                variables[variable.name] = value
        return variables

    async def volumes(self, folder: Path) -> dict[str, Path]:
        """Write the files of the pod's volumes; gives the folder of each."""
        contents = [(one.name, *await self._contents(one)) for one in self._pod.spec.volumes]
        return {name: _write(folder / name, data, items) for name, data, items in contents}

    async def _value(self, variable: Variable) -> str | None:
        source = variable.value_from
        if source is None:
            return variable.value
        if source.field_ref:
            return self._fields.get(source.field_ref.field_path.replace('"', "'"), "")
        if source.config_map_key_ref:
            return await self._key(ConfigMap, source.config_map_key_ref)
        if source.secret_key_ref:
            return await self._key(Secret, source.secret_key_ref)
        return ""

    async def _key(self, kind: type[ConfigMap | Secret], reference: Reference) -> str | None:
        data = await self._data(kind, reference)
        if reference.key in data:
            return data[reference.key].decode()
        if reference.optional:
            return None
        where = f"{kind.__name__} {self._pod.namespace}/{reference.name}"
        raise ConfigError(f"couldn't find key {reference.key} in {where}")

    async def _contents(self, volume: Volume) -> tuple[Data, Sequence[Item]]:
        if configured := volume.config_map:
            reference = Reference(name=configured.name, optional=configured.optional)
            return await self._data(ConfigMap, reference), configured.items
        if secret := volume.secret:
            reference = Reference(name=secret.secret_name, optional=secret.optional)
            return await self._data(Secret, reference), secret.items
        return {}, ()

    async def _data(self, kind: type[ConfigMap | Secret], reference: Reference) -> Data:
        found = await self._client.get(kind, Key(self._pod.namespace, reference.name))
        if found is None and not reference.optional:
            name = f"{self._pod.namespace}/{reference.name}"
            raise ConfigError(f'{kind.__name__.lower()} "{name}" not found')
        if isinstance(found, Secret):
            return {key: base64.b64decode(value) for key, value in found.data.items()}
        return {key: value.encode() for key, value in found.data.items()} if found else {}


def mounts(container: Container, volumes: Mapping[str, Path]) -> dict[str, str]:
    """Say which path stands for which mount path."""
    return {
        mount.mount_path.rstrip("/"): str(volumes[mount.name] / mount.sub_path)
        for mount in container.volume_mounts
        if mount.name in volumes
    }


def _write(place: Path, data: Data, items: Sequence[Item]) -> Path:
    """Write files anew; without items every key is one."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    paths = {item.key: item.path for item in items} if items else {key: key for key in data}
    for key, path in paths.items():
        file = (place / path).resolve()
        if key not in data or place.resolve() not in file.parents:
            raise ConfigError(f"volume {place.name} has no key {key} for {path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(data[key])
    return place


def _fields(pod: Pod, address: str) -> dict[str, str]:
    meta = pod.metadata
    fields = {
        "metadata.name": meta.name,
        "metadata.namespace": meta.namespace,
        "metadata.uid": meta.uid,
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.podIP": address,
        "status.podIPs": address,
        "status.hostIP": "127.0.0.1",
        "status.hostIPs": "127.0.0.1",
    }
    fields |= {f"metadata.labels['{key}']": value for key, value in meta.labels.items()}
    return fields | {f"metadata.annotations['{k}']": v for k, v in meta.annotations.items()}

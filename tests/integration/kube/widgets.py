"""A kind of our own to test with: it has conditions, a status and a rule."""

import itertools
import os
from typing import Any, ClassVar

from fleet.api.conditions import Condition
from fleet.api.keys import Key
from fleet.api.objects import Metadata, Model, Resource
from fleet.kube.client import ApiClient
from fleet.kube.errors import NotFoundError
from fleet.kube.resources import ApiResource
from fleet.testing.waiting import until

_numbers = itertools.count()


class WidgetSpec(Model):
    size: int | None = None
    colour: str | None = None


class WidgetStatus(Model):
    conditions: tuple[Condition, ...] = ()
    note: str | None = None


class Widget(Resource):
    API: ClassVar = "test.modelfleet.dev/v1"

    spec: WidgetSpec = WidgetSpec()
    status: WidgetStatus = WidgetStatus()


WIDGETS = ApiResource.of(Widget)


def crd(group: str = "test.modelfleet.dev") -> dict[str, Any]:
    conditions = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"type": "string"}},
            "x-kubernetes-preserve-unknown-fields": True,
        },
    }
    spec = {
        "type": "object",
        "properties": {"size": {"type": "integer", "maximum": 9}, "colour": {"type": "string"}},
    }
    status = {
        "type": "object",
        "properties": {"conditions": conditions, "note": {"type": "string"}},
    }
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [version],
        },
    }


async def install(client: ApiClient, definition: dict[str, Any] | None = None) -> None:
    """Have the server serve widgets."""
    stored = await client.dynamic.apply(definition or crd())
    group, kind = stored["spec"]["group"], stored["spec"]["names"]["kind"]
    served = ApiResource(f"{group}/v1", kind, stored["spec"]["names"]["plural"], namespaced=True)

    async def ready() -> bool:
        try:
            await client.served(served)
        except NotFoundError:
            return False
        return True

    await until(ready)


async def new_namespace(client: ApiClient) -> str:
    name = f"ns-{os.getpid()}-{next(_numbers)}"
    await client.dynamic.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )
    return name


def widget(key: Key, **spec: Any) -> Widget:
    metadata = Metadata(name=key.name, namespace=key.namespace)
    return Widget(metadata=metadata, spec=WidgetSpec(**spec))

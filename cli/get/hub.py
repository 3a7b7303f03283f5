"""Read the objects of a noun from the hub, each as it is and as its model."""

import json
from dataclasses import dataclass
from typing import Any

from cli.get.nouns import NOUNS, Noun
from cli.hub_client import hub_client
from fleet.api.objects import Resource


@dataclass(frozen=True, slots=True)
class Found:
    body: dict[str, Any]
    """Whole, as the server has it."""
    model: Resource


async def read(kubeconfig: str, noun: Noun, namespace: str, selector: str) -> list[Found]:
    """List every kind of the noun; NoHubError where the hub cannot be asked."""
    found: list[Found] = []
    async with hub_client(kubeconfig) as client:
        for kind in NOUNS[noun].kinds:
            if namespace and not kind.NAMESPACED:
                continue
            head = {"apiVersion": kind.API, "kind": kind.kind()}
            items = (await client.list(kind, namespace, selector)).items
            found += [Found(head | json.loads(i), kind.model_validate_json(i)) for i in items]
    return found

"""Looks at what a rule is about, and judges; each look asks the server itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.eviction import (
    ClusterResourcePlacementDisruptionBudget,
    ClusterResourcePlacementEviction,
)
from fleet.api.keys import Key
from fleet.api.override import ClusterResourceOverride, ResourceOverride
from fleet.api.placement import ClusterResourcePlacement
from fleet.kube.client import Client
from fleet.kube.errors import NotFoundError
from fleet.kube.resources import ApiResource
from hub.admission.review import Operation, Question
from hub.admission.rules import Override, of_budget, of_eviction, of_leaving, of_override

EXPORTS: Final = ApiResource(
    "networking.fleet.azure.com/v1alpha1", "InternalServiceExport", "internalserviceexports", True
)
"""What a member exports, as KubeFleet's networking agents report it on the hub."""
OVERRIDES: Final[Mapping[str, type[Override]]] = {
    "ClusterResourceOverride": ClusterResourceOverride,
    "ResourceOverride": ResourceOverride,
}


@dataclass(frozen=True, slots=True)
class Judge:
    client: Client
    exports: bool
    """Whether a member that exports Services may not leave."""

    async def refusal(self, asked: Question) -> str:
        """Say why something may not be written; nothing where it may."""
        rules = {
            "ClusterResourceOverride": self._override,
            "ResourceOverride": self._override,
            "ClusterResourcePlacementEviction": self._eviction,
            "ClusterResourcePlacementDisruptionBudget": self._budget,
            "MemberCluster": self._leaving,
        }
        rule = rules.get(asked.kind.kind)
        return await rule(asked) if rule else ""

    async def _override(self, asked: Question) -> str:
        model = OVERRIDES[asked.kind.kind]
        present = (await self.client.list(model, asked.namespace)).objects()
        made = model.model_validate(asked.object)
        return of_override(made, present, new=asked.operation is Operation.CREATE)

    async def _eviction(self, asked: Question) -> str:
        eviction = ClusterResourcePlacementEviction.model_validate(asked.object)
        return of_eviction(await self._placement(eviction.spec.placement_name))

    async def _budget(self, asked: Question) -> str:
        budget = ClusterResourcePlacementDisruptionBudget.model_validate(asked.object)
        return of_budget(budget, await self._placement(budget.name))

    async def _placement(self, name: str) -> ClusterResourcePlacement | None:
        return await self.client.get(ClusterResourcePlacement, Key("", name))

    async def _leaving(self, asked: Question) -> str:
        if asked.operation is not Operation.DELETE:
            return ""
        member = MemberCluster.model_validate(asked.old_object)
        options = member.spec.delete_options
        if not self.exports or (options and options.validation_mode == "Skip"):
            return ""
        try:
            space = names.member_namespace(member.name)
            found = await self.client.dynamic.list(EXPORTS, space)
        except NotFoundError:
            return ""
        return of_leaving(_service(export) for export in found if _stays(export))


def _stays(export: dict[str, Any]) -> bool:
    return "deletionTimestamp" not in export["metadata"]


def _service(export: dict[str, Any]) -> str:
    reference = export.get("spec", {}).get("serviceReference", {})
    return str(reference.get("namespacedName") or export["metadata"]["name"])

"""Karpenter's NodeClaim and NodePool, as far as we read or write them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource


class Requirement(Model):
    key: str
    operator: str
    values: tuple[str, ...] = ()


class NodeClassReference(Model):
    group: str
    kind: str
    name: str


class NodeClaimSpec(Model):
    node_class_ref: NodeClassReference
    requirements: tuple[Requirement, ...] = ()
    taints: tuple[dict[str, Any], ...] = ()
    resources: dict[str, Any] | None = None
    expire_after: str = ""


class NodeClaimStatus(Model):
    node_name: str = ""
    provider_id: str = ""
    conditions: tuple[Condition, ...] = ()


class NodeClaim(Resource):
    API: ClassVar = "karpenter.sh/v1"
    NAMESPACED: ClassVar = False

    spec: NodeClaimSpec
    status: NodeClaimStatus = NodeClaimStatus()


class NodePoolTemplateSpec(Model):
    node_class_ref: NodeClassReference
    requirements: tuple[Requirement, ...] = ()
    taints: tuple[dict[str, Any], ...] = ()


class NodePoolTemplateMetadata(Model):
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class NodePoolTemplate(Model):
    metadata: NodePoolTemplateMetadata = NodePoolTemplateMetadata()
    spec: NodePoolTemplateSpec


class NodePoolSpec(Model):
    template: NodePoolTemplate
    limits: Mapping[str, str | int] = {}


class NodePool(Resource):
    API: ClassVar = "karpenter.sh/v1"
    NAMESPACED: ClassVar = False

    spec: NodePoolSpec

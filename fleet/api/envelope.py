"""Envelopes: objects that are wrapped, so that on the hub they have no effect."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from fleet.api.objects import Resource
from fleet.api.schema import Schema

_FEW: Final = Schema(min_properties=1, max_properties=50)


class ClusterResourceEnvelope(Resource):
    """Wraps cluster-scoped objects, which the members unwrap."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"
    NAMESPACED: ClassVar = False

    data: Annotated[Mapping[str, dict[str, Any]], _FEW]
    """Whole objects, each under a name of your choice."""


class ResourceEnvelope(Resource):
    """Wraps objects of its namespace, which the members unwrap."""

    API: ClassVar = "placement.kubernetes-fleet.io/v1beta1"

    data: Annotated[Mapping[str, dict[str, Any]], _FEW]
    """Whole objects, each under a name of your choice."""

"""What GPU nodes a member may have: Karpenter's instance types, node classes and node pools."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cli.local.kubectl import Manifest
from cli.local.topology import REGIONS
from fleet.api import names
from fleet.catalog.catalogue import Catalogue
from fleet.catalog.prices import ON_DEMAND
from fleet.catalog.skus import Sku

PROVIDER: Final = "azure"

GPU_LIMITS: Final[Mapping[str, int]] = {"us": 16, "eu": 12, "apac": 8}
"""GPUs of each type that a region may have: it differs, so that capacity decides too."""

_MEMORY_GIB_PER_CPU: Final = 8
_CPUS_OF_UNNAMED: Final = 32
_SKU_GROUP: Final = "karpenter.kwok.sh"


def offered(member: str, catalogue: Catalogue) -> list[Sku]:
    """Return the instance types with CUDA that the member's region sells."""
    sold = catalogue.prices.instance_types(REGIONS[member])
    skus = (catalogue.sku(name) for name in sold)
    return [sku for sku in skus if sku and sku.provider == PROVIDER and sku.compute_capability]


def instance_types(member: str, catalogue: Catalogue) -> str:
    """Return the file that Karpenter's kwok provider reads, as JSON."""
    return json.dumps(
        [_instance_type(member, sku, catalogue) for sku in offered(member, catalogue)]
    )


def manifests(member: str, catalogue: Catalogue) -> Sequence[Manifest]:
    """Return one node class and one node pool for each instance type that fits the limit."""
    fitting = [sku for sku in offered(member, catalogue) if sku.gpus <= GPU_LIMITS[member]]
    return [*map(_node_class, fitting), *(_node_pool(member, sku) for sku in fitting)]


def pool_name(instance_type: str) -> str:
    return instance_type.lower().replace("_", "-")


def _instance_type(member: str, sku: Sku, catalogue: Catalogue) -> Manifest:
    region = REGIONS[member]
    cpus = _cpus(sku.instance_type)
    placed = {
        names.CAPACITY_TYPE: ON_DEMAND,
        names.ZONE: f"{region}-1",
        names.REGION: region,
    }
    return {
        "name": sku.instance_type,
        "architecture": "amd64",
        "operatingSystems": ["linux"],
        "offerings": [
            {
                "Price": float(catalogue.price(sku.instance_type, region) or 0),
                "Available": True,
                "Requirements": [_is_in(key, value) for key, value in placed.items()],
            }
        ],
        "resources": {
            "cpu": str(cpus),
            "memory": f"{cpus * _MEMORY_GIB_PER_CPU}Gi",
            "ephemeral-storage": "1Ti",
            "pods": "110",
            names.GPU: str(sku.gpus),
        },
    }


def _cpus(instance_type: str) -> int:
    """Read the first number of Azure's name, which counts CPUs: NC24ads has 24."""
    number = re.search(r"\d+", instance_type)
    return int(number[0]) if number else _CPUS_OF_UNNAMED


def _node_class(sku: Sku) -> Manifest:
    return {
        "apiVersion": f"{_SKU_GROUP}/v1alpha1",
        "kind": "KWOKNodeClass",
        "metadata": {"name": pool_name(sku.instance_type)},
    }


def _node_pool(member: str, sku: Sku) -> Manifest:
    name = pool_name(sku.instance_type)
    template = {
        "nodeClassRef": {"group": _SKU_GROUP, "kind": "KWOKNodeClass", "name": name},
        "requirements": [_is_in(names.INSTANCE_TYPE, sku.instance_type)],
        # Keeps pods that ask for no GPU from causing nodes.
        "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
        "expireAfter": "Never",
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {
            "template": {"spec": template},
            "limits": {names.GPU: str(GPU_LIMITS[member])},
            "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "Never"},
        },
    }


def _is_in(key: str, *values: str) -> Mapping[str, object]:
    return {"key": key, "operator": "In", "values": list(values)}


def by_model(skus: Iterable[Sku]) -> Mapping[str, list[Sku]]:
    """Group instance types by their GPU."""
    groups: dict[str, list[Sku]] = {}
    for sku in skus:
        groups.setdefault(sku.gpu_model, []).append(sku)
    return groups

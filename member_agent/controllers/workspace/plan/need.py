"""How many nodes of which type a Workspace takes: as it was decided, or as we estimate it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from fleet.api.binding import Allocation
from fleet.api.core import Node
from fleet.api.names import ALLOCATION, INSTANCE_TYPE, RUNTIME
from fleet.api.snapshot import Demand
from fleet.api.workspace import Workspace
from fleet.catalog.skus import Sku
from fleet.engine.demand import DemandError, demand_of
from fleet.engine.fit import Misfit, Size, sizes
from fleet.engine.serving import Serving, serving
from member_agent.capacity import ON_DEMAND, capacity_types, claimed, instance_types
from member_agent.controllers.workspace.plan.actions import Need, Observed, Refusal
from member_agent.controllers.workspace.plan.adapters import unfit
from member_agent.controllers.workspace.plan.arguments import served_name
from member_agent.controllers.workspace.plan.config import Settings, context_tokens
from member_agent.controllers.workspace.plan.offers import offers
from member_agent.controllers.workspace.plan.selection import usable

GPU_COUNT: Final = "nvidia.com/gpu.count"
GPU_MEMORY: Final = "nvidia.com/gpu.memory"
GPU_PRODUCT: Final = "nvidia.com/gpu.product"
COMPUTE_MAJOR: Final = "nvidia.com/gpu.compute.major"
COMPUTE_MINOR: Final = "nvidia.com/gpu.compute.minor"
"""Labels by which NVIDIA's feature discovery describes a node of no known type."""
MIB_IN_GIB: Final = 1024
MAX_MISFITS: Final = 4
"""Instance types that a message names."""


def need(workspace: Workspace, observed: Observed, settings: Settings) -> Need | Refusal:
    """Obey the allocation that the hub decided; a Workspace without one is estimated here."""
    if refusal := _unsupported(workspace) or _unfit(workspace, observed, settings):
        return refusal
    tokens = context_tokens(settings)
    try:
        demand = demand_of(workspace, observed.catalogue, context_tokens=tokens)
    except DemandError as error:
        return Refusal(str(error))
    text = workspace.metadata.annotations.get(ALLOCATION)
    if text is None:
        return _estimated(workspace, demand, observed)
    try:
        return _allocated(workspace, demand, Allocation.model_validate_json(text), observed)
    except ValidationError as error:
        return Refusal(f"annotation {ALLOCATION}: {error.errors()[0]['msg']}")


def _unsupported(workspace: Workspace) -> Refusal | None:
    inference = workspace.inference
    if workspace.tuning is not None or inference is None:
        return Refusal("tuning: this agent serves models and does not tune them")
    if inference.preset and inference.template:
        return Refusal("inference: give either a preset or a template, not both")
    runtime = workspace.metadata.annotations.get(RUNTIME, "vllm")
    return None if runtime == "vllm" else Refusal(f"annotation {RUNTIME}: {runtime} is no engine")


def _unfit(workspace: Workspace, observed: Observed, settings: Settings) -> Refusal | None:
    preset = workspace.inference and workspace.inference.preset
    model = observed.catalogue.preset(preset.name) if preset else None
    return unfit(workspace, served_name(workspace, model), settings)


def _allocated(
    workspace: Workspace, demand: Demand, allocation: Allocation, observed: Observed
) -> Need:
    size = Size(gpus=allocation.gpus_per_replica, nodes=allocation.nodes_per_replica)
    sku = observed.catalogue.sku(allocation.instance_type)
    named = demand.model_copy(update={"instance_types": (allocation.instance_type,)})
    return Need(
        instance_type=allocation.instance_type,
        capacity_type=allocation.capacity_type,
        nodes=size.nodes * demand.replicas,
        gpus=size.gpus // size.nodes,
        node_gpus=sku.gpus if sku else size.gpus // size.nodes,
        serving=_layout(workspace, named, sku, size),
    )


def _estimated(workspace: Workspace, demand: Demand, observed: Observed) -> Need | Refusal:
    types = _types(observed)
    found = sizes(demand, types.values())
    fitting = {name: size for name, size in found.items() if isinstance(size, Size)}
    if not fitting:
        return Refusal(_misfits(workspace, found), final=False)
    best = min(
        fitting,
        key=lambda name: _preference(name, fitting[name], types[name].gpus, workspace, observed),
    )
    size = fitting[best]
    return Need(
        instance_type=best,
        capacity_type=_capacity(best, observed),
        nodes=size.nodes * demand.replicas,
        gpus=size.gpus // size.nodes,
        node_gpus=types[best].gpus,
        serving=_layout(workspace, demand, types[best], size),
    )


def _layout(workspace: Workspace, demand: Demand, sku: Sku | None, size: Size) -> Serving | None:
    """Spread a preset over its GPUs; what a template does with them is its own affair."""
    preset = workspace.inference and workspace.inference.preset
    return serving(demand, sku, size.gpus, size.nodes) if preset and sku else None


def _types(observed: Observed) -> Mapping[str, Sku]:
    """Collect what the cluster offers and has: by the catalogue, else by what nodes say."""
    names = {name for pool in observed.cluster.pools for name in instance_types(pool)}
    known = (observed.catalogue.sku(name) for name in names)
    types = {sku.instance_type: sku for sku in known if sku}
    for node in observed.cluster.nodes:
        sku = sku_of(node, observed)
        if sku:
            types.setdefault(sku.instance_type, sku)
    return dict(sorted(types.items()))


def sku_of(node: Node, observed: Observed) -> Sku | None:
    """Describe a node's GPUs; None where it has none that anything is known of."""
    labels = node.metadata.labels
    name = labels.get(INSTANCE_TYPE, "")
    known = observed.catalogue.sku(name)
    if known or GPU_MEMORY not in labels or not node.gpus:
        return known if node.gpus else None
    capability = f"{labels.get(COMPUTE_MAJOR, '0')}.{labels.get(COMPUTE_MINOR, '0')}"
    return Sku(
        provider="",
        instance_type=name,
        gpu_model=labels.get(GPU_PRODUCT, "GPU"),
        gpus=int(labels.get(GPU_COUNT, node.gpus)),
        gpu_memory_gib=round(int(labels[GPU_MEMORY]) / MIB_IN_GIB),
        compute_capability=Decimal(capability),
    )


def _preference(
    name: str, size: Size, gpus: int, workspace: Workspace, observed: Observed
) -> tuple[bool, bool, bool, Decimal, int, str]:
    """First what it has, then what costs nothing more, then what can be had, by its price."""
    cluster = observed.cluster
    used = {claimed(claim).instance_type for claim in observed.claims if not claim.deleting}
    there = [n for n in cluster.nodes if n.metadata.labels.get(INSTANCE_TYPE, "") == name]
    used |= {name for node in there if node.name in workspace.status.worker_nodes}
    free = [n for n in there if n.name not in cluster.taken and usable(n, workspace)]
    price = observed.catalogue.price(name, cluster.region, _capacity(name, observed))
    return (
        name not in used,
        len(free) < size.nodes,
        not offers(name, _capacity(name, observed), gpus, observed),
        price * size.nodes if price is not None else Decimal("Infinity"),
        size.gpus,
        name,
    )


def _capacity(name: str, observed: Observed) -> str:
    """Choose how an instance is paid for: on demand wherever that is offered."""
    pools = [pool for pool in observed.cluster.pools if name in instance_types(pool)]
    kinds = sorted({kind for pool in pools for kind in capacity_types(pool)})
    return ON_DEMAND if ON_DEMAND in kinds or not kinds else kinds[0]


def _misfits(workspace: Workspace, found: Mapping[str, Size | Misfit]) -> str:
    if not found:
        return "the cluster has no GPU nodes, and no NodePool that offers any"
    reasons: Iterable[tuple[str, Misfit]] = (
        (name, size) for name, size in found.items() if isinstance(size, Misfit)
    )
    wanted = workspace.resource.instance_type
    told = [f"{name}: {misfit.reason}" for name, misfit in reasons if wanted in ("", name)]
    if not told:
        return f"resource.instanceType: {wanted} is not offered; there are {', '.join(found)}"
    more = f"; and {len(told) - MAX_MISFITS} more" if len(told) > MAX_MISFITS else ""
    return f"no instance type of the cluster fits: {'; '.join(told[:MAX_MISFITS])}{more}"

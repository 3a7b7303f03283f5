"""The StatefulSet and the Services of a Workspace."""

import json
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeVar

from fleet.api import names
from fleet.api.conditions import find
from fleet.api.core import Service, ServicePort, ServiceSpec, StatefulSet, StatefulSetSpec
from fleet.api.objects import LabelSelector, Metadata
from fleet.api.workspace import Workspace
from member_agent.controllers.workspace.plan.actions import Body, Need, Observed, Share
from member_agent.controllers.workspace.plan.adapters import adapter_names, pullers
from member_agent.controllers.workspace.plan.arguments import PORT, served_name
from member_agent.controllers.workspace.plan.config import Settings
from member_agent.controllers.workspace.plan.container import container, volumes
from member_agent.controllers.workspace.plan.covering import covers
from member_agent.controllers.workspace.plan.draining import GRACE_SECONDS
from member_agent.inputs import content

HOSTNAME: Final = "kubernetes.io/hostname"
TOLERATIONS: Final = (
    {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
    {"key": names.GPU, "operator": "Exists"},
)
SUCCEEDED: Final = "WorkspaceSucceeded"
Made = TypeVar("Made", StatefulSet, Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What tells one engine of a Workspace from another one beside it."""

    name: str
    revision: int
    """Of two the higher one is to take the other's place."""
    share: Share
    """The nodes that its pods may run on."""


@dataclass(frozen=True, slots=True)
class Pods:
    """What an engine's pods are to run, wherever they do."""

    digest: str
    template: Body


def stateful_set(
    workspace: Workspace, need: Need, form: Form, observed: Observed, settings: Settings
) -> StatefulSet:
    """Run the engine on the form's nodes, one pod on each."""
    told_apart = {names.ENGINE: form.name} if form.name != workspace.name else {}
    template = _template(workspace, need, form.name, observed, settings)
    metadata = _metadata(workspace, form.name)
    notes = {
        names.WORKSPACE_REVISION: str(form.revision),
        names.PODS_HASH: pods(workspace, need, observed, settings).digest,
    }
    return StatefulSet(
        metadata=metadata.model_copy(update={"annotations": notes}),
        spec=StatefulSetSpec(
            replicas=need.nodes,
            service_name=headless_name(workspace),
            pod_management_policy="Parallel",
            selector=LabelSelector(match_labels={names.WORKSPACE: workspace.name} | told_apart),
            template=_placed(template, _terms(workspace, form.share), told_apart),
        ),
    )


def pods(workspace: Workspace, need: Need, observed: Observed, settings: Settings) -> Pods:
    """Sum up what the pods run, the content of their config too, and on nodes of which type."""
    template = _template(workspace, need, workspace.name, observed, settings)
    made = {"pods": template, "nodes": need.nodes, "type": need.instance_type}
    text = json.dumps(made, sort_keys=True)
    return Pods(sha256(text.encode()).hexdigest()[:16], template)


def made_for(engine: StatefulSet, wanted: Pods) -> bool:
    """Whether an engine was made to run these pods; one that does not say so may do all the same.

    Where it runs them is another matter, and no reason to start them anew.
    """
    made = engine.metadata.annotations.get(names.PODS_HASH)
    return made == wanted.digest if made else covers(engine.spec.template, wanted.template)


def services(workspace: Workspace) -> tuple[Service, Service]:
    """One that clients use, and one that gives the pods their names."""
    leader = {names.WORKSPACE: workspace.name, names.POD_INDEX: "0"}
    public = workspace.metadata.annotations.get(names.ENABLE_LOAD_BALANCER, "").lower() == "true"
    http = ServicePort(name="http", port=80, target_port=_port(workspace), protocol="TCP")
    front = ServiceSpec(
        type="LoadBalancer" if public else "ClusterIP", selector=leader, ports=(http,)
    )
    headless = ServiceSpec(
        type="ClusterIP",
        cluster_ip="None",
        selector={names.WORKSPACE: workspace.name},
        ports=(http,),
        publish_not_ready_addresses=True,
    )
    return (
        Service(metadata=_metadata(workspace, workspace.name), spec=front),
        Service(metadata=_metadata(workspace, headless_name(workspace)), spec=headless),
    )


def headless_name(workspace: Workspace) -> str:
    return f"{workspace.name}-headless"


def stamped(resource: Made) -> Made:
    """Note on an object what it was written as, so that it is written again only when changed."""
    text = json.dumps(resource.manifest(), sort_keys=True)
    note = {names.WORKSPACE_HASH: sha256(text.encode()).hexdigest()[:16]}
    notes = {**resource.metadata.annotations, **note}
    metadata = resource.metadata.model_copy(update={"annotations": notes})
    metadata.model_fields_set.add("annotations")
    return resource.model_copy(update={"metadata": metadata})


def stamp(resource: StatefulSet | Service) -> str:
    return resource.metadata.annotations.get(names.WORKSPACE_HASH, "")


def belongs(resource: StatefulSet | Service, workspace: Workspace) -> bool:
    owners = resource.metadata.owner_references
    return any(owner.uid == workspace.metadata.uid for owner in owners)


def inherited(workspace: Workspace, engine: StatefulSet | None) -> bool:
    """Whether KAITO made what serves a Workspace that has not changed since.

    Another template would restart the model, so it is left as it runs, its nodes and status too.
    """
    if engine is None or engine.deleting or stamp(engine) or not belongs(engine, workspace):
        return False
    told = find(workspace.status.conditions, SUCCEEDED)
    return told is not None and told.observed_generation == workspace.metadata.generation


def _metadata(workspace: Workspace, name: str) -> Metadata:
    return Metadata(
        name=name,
        namespace=workspace.namespace,
        labels=_labels(workspace),
        owner_references=(workspace.owner_reference(),),
    )


def _labels(workspace: Workspace) -> dict[str, str]:
    owner = workspace.metadata.labels.get(names.INFERENCE_SET)
    return {names.WORKSPACE: workspace.name} | ({names.INFERENCE_SET: owner} if owner else {})


def _template(
    workspace: Workspace, need: Need, name: str, observed: Observed, settings: Settings
) -> Body:
    """Write the pods of the StatefulSet `name`, save for where they may run."""
    inference = workspace.inference
    user: Body = deepcopy(inference.template or {}) if inference else {}
    metadata, spec = user.get("metadata") or {}, user.get("spec") or {}
    preset = inference.preset if inference else None
    model = observed.catalogue.preset(preset.name) if preset else None
    if model:
        spec = _preset_spec(workspace, need, name, observed, settings)
    called = served_name(workspace, model)
    ours = _labels(workspace) | _service(workspace, called)
    return {
        "metadata": {
            "labels": (metadata.get("labels") or {}) | ours,
            "annotations": (metadata.get("annotations") or {})
            | _notes(workspace, called, observed),
        },
        "spec": spec | {"tolerations": [*(spec.get("tolerations") or ()), *TOLERATIONS]},
    }


def _placed(template: Body, terms: list[list[Body]], labels: dict[str, str]) -> Body:
    metadata, spec = template["metadata"], template["spec"]
    affinity = _affinity(spec.get("affinity") or {}, terms)
    return {
        "metadata": metadata | {"labels": metadata["labels"] | labels},
        "spec": spec | {"affinity": affinity},
    }


def _preset_spec(
    workspace: Workspace, need: Need, name: str, observed: Observed, settings: Settings
) -> Body:
    first = pullers(workspace, observed.rules.puller_image)
    return {
        **({"initContainers": first} if first else {}),
        "containers": [container(workspace, need, name, observed, settings)],
        "volumes": volumes(workspace),
        "terminationGracePeriodSeconds": GRACE_SECONDS,
    }


def _service(workspace: Workspace, model: str) -> dict[str, str]:
    told = workspace.metadata.annotations.get(names.SERVICE)
    return {names.SERVICE: told or names.service_name(model)}


def _notes(workspace: Workspace, model: str, observed: Observed) -> dict[str, str]:
    """What routers read, what keeps the node, and what restarts the pods with their config."""
    hashed = {names.CONFIG_HASH: content(observed.config.data)} if observed.config else {}
    adapters = ",".join(adapter_names(workspace))
    also = {names.ADAPTERS: adapters} if adapters else {}
    return {names.MODEL: model, names.DO_NOT_DISRUPT: "true", **also, **hashed}


def _terms(workspace: Workspace, share: Share) -> list[list[Body]]:
    """Say which nodes are the Workspace's: those made for it, and those it found.

    Where it has none those made for it are meant: the server takes no selector without terms.
    """
    terms = []
    if share.claims or share.new or not share.existing:
        made_for = {
            names.WORKSPACE: workspace.name,
            names.WORKSPACE_NAMESPACE: workspace.namespace,
        }
        terms.append([_is_in(key, [value]) for key, value in made_for.items()])
    if share.existing:
        hosts = [node.metadata.labels.get(HOSTNAME, node.name) for node in share.existing]
        terms.append([_is_in(HOSTNAME, sorted(hosts))])
    return terms


def _is_in(key: str, values: list[str]) -> Body:
    return {"key": key, "operator": "In", "values": values}


def _affinity(user: Body, terms: list[list[Body]]) -> Body:
    """Hold pods to the Workspace's nodes, within what the user asks of a node."""
    node = user.get("nodeAffinity") or {}
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    given = [term.get("matchExpressions") or [] for term in required.get("nodeSelectorTerms") or ()]
    both = [[*mine, *theirs] for mine in terms for theirs in given or [[]]]
    selector = {"nodeSelectorTerms": [{"matchExpressions": term} for term in both]}
    wanted = {"requiredDuringSchedulingIgnoredDuringExecution": selector}
    return user | {"nodeAffinity": node | wanted}


def _port(workspace: Workspace) -> int:
    """Find the port that serves: the first one of a template, else the engine's."""
    template = (workspace.inference and workspace.inference.template) or {}
    containers: list[dict[str, Any]] = (template.get("spec") or {}).get("containers") or []
    ports = (port for item in containers for port in item.get("ports") or ())
    return next((int(port["containerPort"]) for port in ports), PORT)

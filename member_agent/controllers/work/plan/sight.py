"""Make of an object's JSON what the plan compares."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from fleet.api.workspace import InferenceSet, Workspace
from member_agent.controllers.work.plan.actions import Live, Owner, Seen, Subject
from member_agent.controllers.work.plan.availability import INFERENCE_CONDITIONS, availability
from member_agent.controllers.work.plan.manifests import Body, digest
from member_agent.inputs import content, inputs

MODELS: Final[Mapping[str, type[Workspace] | type[InferenceSet]]] = {
    "Workspace": Workspace,
    "InferenceSet": InferenceSet,
}


def live_of(body: Body) -> Live:
    """See a whole object."""
    metadata = body["metadata"]
    return Live(
        uid=metadata.get("uid", ""),
        version=int(metadata.get("resourceVersion") or 0),
        fingerprint=fingerprint(metadata),
        generation=metadata.get("generation", 0),
        owners=tuple(
            Owner(owner["kind"], owner["name"], owner["uid"])
            for owner in metadata.get("ownerReferences") or ()
        ),
        deleting="deletionTimestamp" in metadata,
        body=body,
    )


def fingerprint(metadata: Mapping[str, Any]) -> str:
    """Tell a change of an object from one of its status; kinds without generation cannot."""
    generation = metadata.get("generation", 0)
    owners = sorted(owner["uid"] for owner in metadata.get("ownerReferences") or ())
    return digest(
        {
            "state": generation or metadata.get("resourceVersion", ""),
            "labels": metadata.get("labels") or {},
            "annotations": metadata.get("annotations") or {},
            "owners": owners,
        }
    )


def remember(manifest_digest: str, body: Body, *, mirror: bool) -> Seen:
    """Keep of an object what the next reconcile compares, and what the Work is told."""
    live = live_of(body)
    inference = body["kind"] in INFERENCE_CONDITIONS and body["apiVersion"].startswith("kaito.sh/")
    return Seen(
        digest=manifest_digest,
        fingerprint=live.fingerprint,
        version=live.version,
        uid=live.uid,
        generation=live.generation,
        finding=availability(body),
        subject=_subject(body) if inference else None,
        content=content(body.get("data") or {}) if _is_config(body) else "",
        status=_reported(body) if mirror or inference else None,
    )


def _subject(body: Body) -> Subject | None:
    """Read of what a workload's status speaks; one that cannot be read says what it can."""
    try:
        workload = MODELS[body["kind"]].model_validate(body)
    except ValidationError:
        return None
    return Subject(inputs(workload), workload.status.observed_inputs)


def _is_config(body: Body) -> bool:
    return (body["apiVersion"], body["kind"]) == ("v1", "ConfigMap")


def _reported(body: Body) -> Mapping[str, Any]:
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "status": body.get("status") or {},
    }

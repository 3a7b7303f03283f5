"""How a run ended: every object it has made, less what is another one at each run."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fleet.kube.client import ApiClient
from fleet.kube.dynamic import key_of

Outcome = Mapping[str, Any]
BOOKS: Final = {
    *("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"),
    *("clusterIP", "clusterIPs", "policyHash", "modelfleet.dev/demands"),
    *(
        "modelfleet.dev/spec-hash",
        "workspace.kaito.io/hash",
        "modelfleet.dev/pods-hash",
        "observedInputs",
    ),
}
"""What the server keeps of its own, and hashes of names that differ."""
SAME: Final = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r"-[0-9a-f]{8,10}\b"), "-DIGEST"),
)
"""What differs between runs by itself, wherever it stands in a text."""
ON_HUB: Final = (
    ("modelfleet.dev/v1alpha1", "ModelDeployment"),
    ("kaito.sh/v1beta1", "Workspace"),
    ("kaito.sh/v1alpha1", "InferenceSet"),
    ("modelfleet.dev/v1alpha1", "ModelService"),
    ("modelfleet.dev/v1alpha1", "ModelEndpoint"),
    ("placement.kubernetes-fleet.io/v1beta1", "ResourcePlacement"),
    ("placement.kubernetes-fleet.io/v1beta1", "ResourceSnapshot"),
    ("placement.kubernetes-fleet.io/v1beta1", "SchedulingPolicySnapshot"),
    ("placement.kubernetes-fleet.io/v1beta1", "ResourceBinding"),
    ("placement.kubernetes-fleet.io/v1beta1", "StagedUpdateRun"),
    ("placement.kubernetes-fleet.io/v1beta1", "ApprovalRequest"),
    ("placement.kubernetes-fleet.io/v1beta1", "Work"),
)
ON_MEMBER: Final = (
    ("placement.kubernetes-fleet.io/v1beta1", "AppliedWork"),
    ("v1", "ConfigMap"),
    ("kaito.sh/v1alpha1", "InferenceSet"),
    ("kaito.sh/v1beta1", "Workspace"),
    ("karpenter.sh/v1", "NodeClaim"),
    ("apps/v1", "StatefulSet"),
    ("v1", "Service"),
)


async def outcome(
    client: ApiClient, kinds: Sequence[tuple[str, str]], run: str, *, side: str
) -> Outcome:
    """Give what bears the name of a run, which no other run has."""
    found = {}
    for api_version, kind in kinds:
        resource = await client.dynamic.resource_for(api_version, kind)
        for body in await client.dynamic.list(resource):
            if run in json.dumps(body["metadata"]):
                made = {"apiVersion": api_version, "kind": kind} | body
                found[_same(f"{side} {kind} {key_of(body)}", run)] = _normal(made, run)
    return found


def differences(one: Outcome, other: Outcome) -> list[str]:
    """Say where two outcomes differ, a line each."""
    return list(_compare(one, other, ""))


def _compare(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            yield from _compare(one.get(name), other.get(name), f"{path}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _compare(left, right, f"{path}/{number}")
    elif one != other:
        yield f"{path}: {_short(one)} and not {_short(other)}"


def _short(value: Any) -> str:
    return json.dumps(value)[:300]


def _normal(body: Mapping[str, Any], run: str) -> Any:
    generation = body["metadata"].get("generation", 0)
    return json.loads(_same(json.dumps(_plain(body, generation), sort_keys=True), run))


def _plain(value: Any, generation: int) -> Any:
    if isinstance(value, dict):
        kept = {name: _plain(each, generation) for name, each in value.items() if name not in BOOKS}
        if "observedGeneration" in kept:
            kept["observedGeneration"] = kept["observedGeneration"] == generation
        return kept
    if isinstance(value, list):
        return sorted((_plain(each, generation) for each in value), key=_order)
    return value


def _order(value: Any) -> str:
    """Lists keyed by type or name are in the order in which they were written."""
    if not isinstance(value, dict):
        return value if str(value).endswith("-cleanup") else ""
    return "/".join(str(value.get(name, "")) for name in ("type", "kind", "name"))


def _same(text: str, run: str) -> str:
    for pattern, word in SAME:
        text = pattern.sub(word, text)
    return text.replace(run, "RUN")

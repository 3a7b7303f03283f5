"""What the API server says to clusters of the fleet, on the hub and in their own namespaces."""

from collections.abc import Iterator
from typing import Any, Final

from tests.integration.api.rows import STABLE, TAKEN, Case, Manifest, Row, specs, written

MEMBER: Final = "MemberCluster"
INTERNAL: Final = "InternalMemberCluster"
IDENTITY: Final = {"kind": "User", "name": "member"}
JOINING: Final = {"identity": IDENTITY}
NOON: Final = "2026-01-01T12:00:00Z"
TAINT: Final = {"key": "gpu", "effect": "NoSchedule"}
PERIOD: Final = "spec.heartbeatPeriodSeconds in body should be"
CONDITION: Final = {
    "type": "Joined",
    "status": "True",
    "reason": "Joined",
    "message": "",
    "lastTransitionTime": NOON,
}


def tainted(*taints: Manifest) -> Manifest:
    return {"taints": list(taints)}


MEMBERS: Final[list[Case]] = [
    ("as KubeFleet's documentation has it", {}, TAKEN),
    ("of a ServiceAccount", {"identity": {"kind": "ServiceAccount", "name": "a"}}, TAKEN),
    ("of who we do not know", {"identity": {"kind": "Robot", "name": "a"}}, TAKEN),
    ("of nobody", {"identity": None}, "spec.identity: Required value"),
    ("of a nameless one", {"identity": {"kind": "User"}}, "spec.identity.name: Required value"),
    ("of no kind", {"identity": {"name": "a"}}, "spec.identity.kind: Required value"),
    *((f"that reports each {n} s", {"heartbeatPeriodSeconds": n}, TAKEN) for n in (1, 600)),
    (
        "that never rests",
        {"heartbeatPeriodSeconds": 0},
        f"{PERIOD} greater than or equal to 1",
    ),
    (
        "that rests too long",
        {"heartbeatPeriodSeconds": 601},
        f"{PERIOD} less than or equal to 600",
    ),
    ("with a taint", tainted(TAINT | {"value": "a100"}), TAKEN),
    ("with a taint twice", tainted(TAINT, TAINT), TAKEN),
    ("with a taint of odd letters", tainted(TAINT | {"key": "!" * 400}), TAKEN),
    ("with 100 taints", tainted(*[TAINT] * 100), TAKEN),
    (
        "with 101 taints",
        tainted(*[TAINT] * 101),
        "spec.taints: Too many: 101: must have at most 100 items",
    ),
    (
        "with a taint of another effect",
        tainted(TAINT | {"effect": "NoExecute"}),
        'spec.taints[0].effect: Unsupported value: "NoExecute": supported values: "NoSchedule"',
    ),
    *(
        (
            f"with a taint without its {part}",
            tainted(TAINT | {part: None}),
            f"spec.taints[0].{part}: Required value",
        )
        for part in TAINT
    ),
]
OPTIONS: Final[list[Case]] = [
    *(
        (f"that leaves by {mode}", {"deleteOptions": {"validationMode": mode}}, TAKEN)
        for mode in ("Skip", "Strict")
    ),
    (
        "that leaves anyhow",
        {"deleteOptions": {"validationMode": "Never"}},
        'Unsupported value: "Never": supported values: "Skip", "Strict"',
    ),
]
STATUSES: Final[list[Case]] = [
    ("conditions", {"conditions": [CONDITION]}, TAKEN),
    (
        "a condition without a message",
        {"conditions": [CONDITION | {"message": None}]},
        "status.conditions[0].message: Required value",
    ),
    (
        "a condition of no reason",
        {"conditions": [CONDITION | {"reason": ""}]},
        "conditions[0].reason in body should be at least 1 chars long",
    ),
    (
        "a condition that may be",
        {"conditions": [CONDITION | {"status": "Maybe"}]},
        'Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
    ),
    (
        "a condition of an odd type",
        {"conditions": [CONDITION | {"type": "not a type"}]},
        "status.conditions[0].type: Invalid value: ",
    ),
    ("an agent", {"agentStatus": [{"type": "MemberAgent"}]}, TAKEN),
    ("an agent of no type", {"agentStatus": [{}]}, "status.agentStatus[0].type: Required value"),
    ("a property", {"properties": {"n": {"value": "3", "observationTime": NOON}}}, TAKEN),
    (
        "a property of no time",
        {"properties": {"n": {"value": "3"}}},
        "status.properties.n.observationTime: Required value",
    ),
    ("quantities", {"resourceUsage": {"capacity": {"cpu": "500m", "memory": "3Gi"}}}, TAKEN),
    ("a whole number", {"resourceUsage": {"available": {"cpu": 3}}}, TAKEN),
    (
        "what is no quantity",
        {"resourceUsage": {"available": {"cpu": "many"}}},
        "resourceUsage.available.cpu in body should match",
    ),
]


def name(text: str, said: str = TAKEN, **more: Any) -> Row:
    return Row(f"named {text[:9]}", written(MEMBER, "v1", JOINING | more, text), said)


LONG: Final = "<nil>: Invalid value: metadata.name max length is 63"
SUBDOMAIN: Final = "a lowercase RFC 1123 subdomain"


def rows() -> Iterator[Row]:
    for version in STABLE:
        yield from specs(MEMBER, version, MEMBERS, JOINING)
        yield Row("with a long name", written(MEMBER, version, JOINING, "m" * 63))
        yield Row("with too long a name", written(MEMBER, version, JOINING, "m" * 64), LONG)
        states: list[Case] = [
            *((f"to {state}", {"state": state}, TAKEN) for state in ("Join", "Leave", "Rest")),
            ("to nothing", {"state": None}, "spec.state: Required value"),
            (
                "that never rests",
                {"heartbeatPeriodSeconds": 0},
                f"{PERIOD} greater than or equal to 1",
            ),
        ]
        yield from specs(INTERNAL, version, states, {"state": "Join"})
    yield from specs(MEMBER, "v1beta1", OPTIONS, JOINING)
    yield from specs(MEMBER, "v1", [(what, spec, TAKEN) for what, spec, _ in OPTIONS], JOINING)
    yield from (name(text, SUBDOMAIN) for text in ("-x", "x-", "a_b"))
    for kind, spec in ((MEMBER, JOINING), (INTERNAL, {"state": "Join"})):
        for what, status, said in STATUSES:
            yield Row(what, written(kind, "v1beta1", spec), said, {"status": status}, "status")


ROWS: Final = tuple(rows())

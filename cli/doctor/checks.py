"""Judge what was found: what is right, what is wrong, and the way out. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cli.doctor import rollouts
from cli.doctor.facts import Facts, GatewayFacts, HubFacts, Version
from cli.doctor.findings import Finding, State
from cli.local.golang import parse_version
from fleet.api import names
from fleet.api.cluster import MemberCluster
from fleet.api.conditions import find
from fleet.engine.silence import HEARTBEATS
from fleet.kube.tokens import HOURS, RENEW_AT

OLDEST: Final[Version] = (1, 33)
"""Kubernetes that hub and members need."""
OLDEST_TOOLS: Final[dict[str, Version]] = {"kubectl": (1, 32), "helm": (3, 14)}
KUBERNETES: Final = "k8s.io/k8s-version"
"""Property of a member, by its agent."""
_OK, _REFUSED, _WRONG_PLACE = 200, (401, 403), 404


def findings(facts: Facts) -> list[Finding]:
    """Judge all of it, in the order in which one thing needs the other."""
    return [
        *_hub(facts),
        *_members(facts),
        *rollouts.findings(facts),
        *_gateway(facts.gateway),
        *_tools(facts),
    ]


def _hub(facts: Facts) -> Iterator[Finding]:
    hub = facts.hub
    if hub.trouble:
        hint = "name the hub with --kubeconfig and --context, or run `modelfleet up`"
        yield Finding("hub", State.FAILED, hub.trouble, hint)
        return
    yield _kubernetes("hub", hub.version)
    yield _kinds(hub)
    yield _rights(hub)
    yield _running(hub, facts.now)


def _kubernetes(check: str, version: str) -> Finding:
    found = parse_version(version)
    if not found:
        return Finding(check, State.WARNING, "does not say which Kubernetes it is")
    if found < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        hint = f"upgrade it to {oldest} or newer"
        return Finding(check, State.FAILED, f"Kubernetes {version} is too old", hint)
    return Finding(check, State.OK, f"Kubernetes {version}")


def _kinds(hub: HubFacts) -> Finding:
    check, install = "hub kinds", "helm upgrade --install modelfleet-crds charts/crds"
    if hub.kinds is None:
        return Finding(check, State.SKIPPED, "your user may not read CustomResourceDefinitions")
    if hub.kinds.missing:
        text = f"not there: {', '.join(hub.kinds.missing)}"
        return Finding(check, State.FAILED, text, install)
    if hub.kinds.other:
        text = f"of another version than this command: {', '.join(hub.kinds.other)}"
        return Finding(check, State.WARNING, text, install)
    return Finding(check, State.OK, "all there, of this version")


def _rights(hub: HubFacts) -> Finding:
    check = "your rights"
    if hub.denied is None:
        return Finding(check, State.SKIPPED, "the hub does not say what your user may do")
    if hub.denied:
        text = f"you may not {', '.join(hub.denied)}"
        return Finding(check, State.WARNING, text, "ask the hub's admin for these rights")
    return Finding(check, State.OK, "your user may join members, and see what is placed")


def _running(hub: HubFacts, now: datetime) -> Finding:
    check, lease = "hub program", hub.lease
    if hub.program is not None:
        if hub.program:
            return Finding(check, State.OK, "runs on this machine")
        return Finding(check, State.FAILED, "is not ready", "modelfleet up; modelfleet local logs")
    if lease is None:
        text = "there is no Lease of it: it runs without one, or has never run"
        hint = "install the chart modelfleet-hub, or look at its pods"
        return Finding(check, State.WARNING, text, hint)
    if lease.moving or now - lease.renewed < timedelta(seconds=lease.seconds):
        return Finding(check, State.OK, f"{lease.holder} leads")
    text = f"nobody has led since {_time(lease.renewed)}"
    hint = f"kubectl --namespace={lease.namespace} logs deployment/modelfleet-hub"
    return Finding(check, State.FAILED, text, hint)


def _members(facts: Facts) -> Iterator[Finding]:
    if facts.hub.members is None:
        return
    if not facts.hub.members:
        yield Finding("members", State.WARNING, "there are none", "modelfleet join NAME")
    for member in facts.hub.members:
        found = list(_member(member, facts))
        yield from found or [_well(member)]


def _member(member: MemberCluster, facts: Facts) -> Iterator[Finding]:
    """Find what is wrong with a member; nothing where nothing is."""
    check, name = f"member {member.name}", member.name
    if member.deleting:
        text, hint = "leaves the fleet", f"modelfleet leave {name} waits for its end"
        yield Finding(check, State.WARNING, text, hint)
        return
    if not member.joined:
        said = find(member.status.conditions, "Joined")
        text = "has not joined" + (f": {said.message}" if said and said.message else "")
        yield Finding(check, State.FAILED, text, f"install its agent: modelfleet join {name}")
    elif silence := _silence(member, facts.now):
        yield Finding(check, State.FAILED, silence, f"modelfleet join {name} --renew; {_LOGS}")
    elif trouble := _unwell(member):
        yield Finding(check, State.FAILED, trouble, _LOGS)
    yield from _claims(check, member)
    version = member.status.properties.get(KUBERNETES)
    if version and (judged := _kubernetes(check, version.value)).state is not State.OK:
        yield judged
    release = member.status.properties.get(names.AGENT_VERSION)
    if release and release.value != facts.release:
        text = f"its agent is of version {release.value}, this command of {facts.release}"
        yield Finding(check, State.WARNING, text, "upgrade what is older: the hub first")
    if ends := facts.tokens.get(name):
        yield from _token(check, name, ends, facts.now)


_LOGS: Final = (
    "on the member: kubectl --namespace=modelfleet-system logs deployment/modelfleet-member-agent"
)


def _silence(member: MemberCluster, now: datetime) -> str:
    beat, period = member.heartbeat, member.spec.heartbeat_period_seconds
    if beat is None or now - beat < timedelta(seconds=HEARTBEATS * period):
        return ""
    return f"was last heard of at {_time(beat)}, and reports every {period} s"


def _unwell(member: MemberCluster) -> str:
    agent = member.status.agent
    healthy = find(agent.conditions, "Healthy") if agent else None
    return f"is not healthy: {healthy.message}" if healthy and not healthy.true else ""


def _claims(check: str, member: MemberCluster) -> Iterator[Finding]:
    """Tell of an address or a name that is another's too, each with the way out that it names."""
    for kind in ("GatewayAddress", "SoleCluster"):
        said = find(member.status.conditions, kind)
        if said and said.false:
            text, _, hint = said.message.partition("; ")
            yield Finding(check, State.FAILED, text, hint)


def _token(check: str, name: str, ends: datetime, now: datetime) -> Iterator[Finding]:
    """A token that is past its renewal was not renewed, though its agent should have."""
    renew = f"modelfleet join {name} --renew"
    if ends <= now:
        yield Finding(check, State.FAILED, f"its token ended at {_time(ends)}", renew)
    elif ends - now < timedelta(hours=HOURS * (1 - RENEW_AT)) - timedelta(minutes=5):
        text = f"its token ends at {_time(ends)}, and its agent has not renewed it"
        yield Finding(check, State.WARNING, text, renew)


def _well(member: MemberCluster) -> Finding:
    version = member.status.properties.get(KUBERNETES)
    kubernetes = f", Kubernetes {version.value}" if version else ""
    text = f"joined, region {member.region}{kubernetes}"
    return Finding(f"member {member.name}", State.OK, text)


def _gateway(gateway: GatewayFacts | None) -> Iterator[Finding]:
    check = "gateway"
    if gateway is None:
        hint = "name it with --url and --key"
        yield Finding(check, State.SKIPPED, "there is no local fleet, and none was named", hint)
    elif gateway.trouble:
        yield Finding(check, State.FAILED, f"{gateway.url}: {gateway.trouble}", "is it running?")
    elif gateway.ready not in (_OK, _WRONG_PLACE):
        text = f"{gateway.url} is not ready: /readyz says {gateway.ready}"
        yield Finding(check, State.FAILED, text, "its log says what it waits for")
    elif gateway.listed in _REFUSED:
        hint = "name a key with --key or MODELFLEET_KEY"
        yield Finding(check, State.FAILED, f"{gateway.url} does not take the key", hint)
    elif gateway.listed != _OK:
        text = f"{gateway.url}: GET /models says {gateway.listed}"
        yield Finding(check, State.FAILED, text, "--url is the base of the API, such as …/v1")
    else:
        yield Finding(check, State.OK, f"{gateway.url} serves {_count(gateway.models, 'model')}")


def _tools(facts: Facts) -> Iterator[Finding]:
    for name, oldest in OLDEST_TOOLS.items():
        if name not in facts.tools:
            continue
        version = facts.tools[name]
        if version is None:
            hint = "install it, or run `modelfleet local binaries`"
            yield Finding(name, State.WARNING, "is not on PATH", hint)
        elif version and version < oldest:
            text = f"{_dotted(version)} is older than what the charts are tested with"
            yield Finding(name, State.WARNING, text, f"upgrade it to {_dotted(oldest)} or newer")
        else:
            yield Finding(name, State.OK, _dotted(version) or "does not say its version")


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

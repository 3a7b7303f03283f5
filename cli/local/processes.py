"""The programs of a local fleet as a table: their commands, settings, ports and health."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cli.charts import NAMESPACE
from cli.local.binaries import Binaries
from cli.local.credentials import Credentials
from cli.local.daemons import Daemon, python
from cli.local.topology import ENGINE_IMAGE, HUB, REGIONS, Fleet

_QUIET: Final = {
    # Go programs of a machine that others work on too: less memory for a little more CPU.
    "GOGC": "50",
}


def hub(fleet: Fleet, credentials: Credentials) -> Daemon:
    address = _loopback(fleet.ports(HUB).health)
    return Daemon(
        name=HUB,
        cluster=HUB,
        argv=python("hub"),
        environ={
            "KUBECONFIG": str(credentials.kubeconfig(HUB)),
            "HUB_NAMESPACE": NAMESPACE,
            "HUB_HEALTH_LISTEN": address,
            "HUB_WEBHOOK_LISTEN": _loopback(fleet.ports(HUB).webhook),
            "HUB_WEBHOOK_NAMES": "127.0.0.1",
        },
        ports=(fleet.ports(HUB).health, fleet.ports(HUB).webhook),
        health=f"http://{address}/readyz",
    )


def global_gateway(fleet: Fleet, credentials: Credentials) -> Daemon:
    address = _loopback(fleet.gateway_port)
    return Daemon(
        name="gateway",
        argv=python("gateway"),
        environ={
            "GATEWAY_SCOPE": "global",
            "GATEWAY_LISTEN": address,
            "GATEWAY_WORKERS": "1",
            "GATEWAY_CLIENT_KEYS_FILE": str(credentials.client_keys),
            "GATEWAY_FLEET_CREDENTIAL_FILE": str(credentials.fleet),
            "GATEWAY_STATE_FILE": str(fleet.config / "gateway-routes.json"),
            "KUBECONFIG": str(credentials.kubeconfig("gateway")),
        },
        ports=(fleet.gateway_port,),
        health=f"http://{address}/readyz",
    )


def karpenter(fleet: Fleet, member: str, binaries: Binaries, instance_types: Path) -> Daemon:
    ports = fleet.ports(member)
    return Daemon(
        name=f"{member}-karpenter",
        cluster=member,
        argv=(str(binaries["karpenter-kwok"]),),
        environ={
            **_QUIET,
            "KUBECONFIG": str(fleet.kubeconfig(member)),
            "INSTANCE_TYPES_FILE_PATH": str(instance_types),
            "SYSTEM_NAMESPACE": "kube-system",
            "DISABLE_LEADER_ELECTION": "true",
            "METRICS_PORT": str(ports.karpenter_metrics),
            "HEALTH_PROBE_PORT": str(ports.karpenter_health),
            "DISABLE_CLUSTER_STATE_OBSERVABILITY": "true",
        },
        ports=(ports.karpenter_metrics, ports.karpenter_health),
        health=f"http://{_loopback(ports.karpenter_health)}/readyz",
    )


def agent(fleet: Fleet, member: str, credentials: Credentials) -> Daemon:
    address = _loopback(fleet.ports(member).health)
    return Daemon(
        name=f"{member}-agent",
        cluster=member,
        argv=python("member_agent"),
        environ={
            "KUBECONFIG": str(credentials.kubeconfig(f"{member}-agent")),
            "MEMBER_AGENT_CLUSTER": member,
            "MEMBER_AGENT_NAMESPACE": NAMESPACE,
            "MEMBER_AGENT_HUB_URL": f"https://127.0.0.1:{fleet.ports(HUB).apiserver}",
            "MEMBER_AGENT_HUB_CA_FILE": str(fleet.authority(HUB)),
            "MEMBER_AGENT_HUB_TOKEN_FILE": str(credentials.agent_token(member)),
            "MEMBER_AGENT_GATEWAY_URL": f"http://{_loopback(fleet.regional_port(member))}/v1",
            "MEMBER_AGENT_HEALTH_LISTEN": address,
        },
        ports=(fleet.ports(member).health,),
        health=f"http://{address}/readyz",
    )


def regional_gateway(fleet: Fleet, member: str, credentials: Credentials) -> Daemon:
    address = _loopback(fleet.regional_port(member))
    return Daemon(
        name=f"{member}-gateway",
        cluster=member,
        argv=python("gateway"),
        environ={
            "GATEWAY_SCOPE": "regional",
            "GATEWAY_REGION": REGIONS[member],
            "GATEWAY_CLUSTER": member,
            "GATEWAY_LISTEN": address,
            "GATEWAY_WORKERS": "1",
            "GATEWAY_FLEET_CREDENTIAL_FILE": str(credentials.fleet),
            "GATEWAY_STATE_FILE": str(fleet.config / f"{member}-gateway-routes.json"),
            "KUBECONFIG": str(credentials.kubeconfig(f"{member}-gateway")),
        },
        ports=(fleet.regional_port(member),),
        health=f"http://{address}/readyz",
    )


def runner(fleet: Fleet, member: str) -> Daemon:
    address = _loopback(fleet.ports(member).runner)
    return Daemon(
        name=f"{member}-runner",
        cluster=member,
        argv=python("cli.local.runner"),
        environ={
            "KUBECONFIG": str(fleet.kubeconfig(member)),
            "RUNNER_CLUSTER": member,
            "RUNNER_NETWORK": fleet.network(member),
            "RUNNER_ENGINE_IMAGE": ENGINE_IMAGE,
            "RUNNER_LOG_DIR": str(fleet.logs / member),
            "RUNNER_HEALTH_LISTEN": address,
        },
        ports=(fleet.ports(member).runner,),
        health=f"http://{address}/readyz",
        outlived=True,
    )


def of_member(fleet: Fleet, member: str, credentials: Credentials) -> tuple[Daemon, ...]:
    """Return our own programs of a region."""
    return (
        agent(fleet, member, credentials),
        regional_gateway(fleet, member, credentials),
        runner(fleet, member),
    )


def table(fleet: Fleet, binaries: Binaries) -> Mapping[str, Daemon]:
    """Return every program of the fleet by its name, in the order they are started."""
    credentials = Credentials(fleet.secrets)
    daemons = [hub(fleet, credentials)]
    for member in fleet.members:
        types = fleet.config / f"{member}-instance-types.json"
        daemons.append(karpenter(fleet, member, binaries, types))
        daemons.extend(of_member(fleet, member, credentials))
    daemons.append(global_gateway(fleet, credentials))
    return {daemon.name: daemon for daemon in daemons}


def _loopback(port: int) -> str:
    return f"127.0.0.1:{port}"

"""The fleet's status as one table for people."""

from collections.abc import Sequence
from decimal import Decimal

from rich import box
from rich.table import Table

from cli.local.status import ClusterStatus, FleetStatus, ProcessStatus

_UNKNOWN = "-"


def table(status: FleetStatus) -> Table:
    caption = f"gateway {status.url}"
    view = Table(title=f"Fleet {status.fleet}", caption=caption, box=box.SIMPLE, show_lines=True)
    for column in ("Cluster", "Nodes", "Spare GPUs", "$/h", "Models"):
        view.add_column(column, overflow="fold")
    view.add_column("Processes", no_wrap=True)
    for cluster in status.clusters:
        own = [process for process in status.processes if process.cluster == cluster.name]
        view.add_row(*_row(cluster, own))
    shared = [process for process in status.processes if not process.cluster]
    view.add_row(*[""] * 5, processes(shared, ""))
    return view


def _row(cluster: ClusterStatus, own: list[ProcessStatus]) -> tuple[str, ...]:
    sign = "[green]●[/green]" if cluster.ready else "[red]○ down[/red]"
    spare = "\n".join(f"{count} {gpu}" for gpu, count in cluster.spare_gpus.items() if count)
    known = cluster.nodes is not None
    return (
        f"{cluster.name} {sign}\n[dim]{cluster.region}[/dim]".rstrip(),
        str(cluster.nodes) if known else _UNKNOWN,
        spare or ("none" if known else _UNKNOWN),
        f"{Decimal(cluster.usd_per_hour):.2f}" if cluster.usd_per_hour else _UNKNOWN,
        "\n".join(cluster.models) or _UNKNOWN,
        processes(own, cluster.name),
    )


def processes(statuses: Sequence[ProcessStatus], cluster: str) -> str:
    """Name every process without its cluster's name, with its pid or what is wrong."""
    planes = [status for status in statuses if status.control_plane]
    own = [_process(status, cluster) for status in statuses if not status.control_plane]
    return "\n".join([*_control_plane(planes, cluster), *own])


def _control_plane(planes: list[ProcessStatus], cluster: str) -> list[str]:
    """Put what runs into one line; what does not is named."""
    running = sum(status.ready for status in planes)
    dead = [_process(status, cluster) for status in planes if not status.ready]
    summary = f"[green]✓[/green] control plane [dim]({running})[/dim]"
    return [*([summary] if running else []), *dead]


def _process(status: ProcessStatus, cluster: str) -> str:
    name = status.name.removeprefix(f"{cluster}-") if cluster else status.name
    if status.pid is None:
        return f"[red]✗ {name} is not running[/red]"
    if not status.ready:
        return f"[yellow]… {name} {status.pid} is not ready[/yellow]"
    return f"[green]✓[/green] {name} [dim]{status.pid}[/dim]"

"""Lose a region, or take a whole local fleet down and leave nothing of it behind."""

import asyncio

from cli.local import kwok, procfs
from cli.local.daemons import Daemons
from cli.local.progress import Progress
from cli.local.topology import MARK, Fleet


async def lose(fleet: Fleet, cluster: str) -> None:
    """End everything of a cluster at once, as a region is lost: nobody says goodbye."""
    daemons = Daemons(fleet)
    running = daemons.running(cluster)
    await asyncio.gather(kwok.kill(fleet, cluster), procfs.kill(running.values()))
    # Whatever those started, in whichever session.
    await procfs.kill(procfs.marked(MARK, fleet.mark(cluster)))
    daemons.forget(running)


async def take_down(fleet: Fleet, progress: Progress) -> None:
    """End all processes of the fleet; its files are the caller's to delete."""
    with progress.step(f"end fleet {fleet.name}"):
        await procfs.kill(Daemons(fleet).running().values())
        await asyncio.gather(*(kwok.kill(fleet, cluster) for cluster in fleet.clusters))
        await procfs.kill(procfs.marked(MARK, fleet.mark()))

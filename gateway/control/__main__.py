"""`python -m gateway.control LINK LIFE`: descriptors of the socket to speak on and of the pipe
that ends when the supervisor does."""

import asyncio
import os
import socket
import sys

from fleet.runtime import logs
from gateway.control.app import Control
from gateway.settings import Settings, read


async def _run(settings: Settings, link: socket.socket, life: int) -> None:
    await Control(settings).run(link, life)


def main(link: str, life: str) -> None:
    settings = read(os.environ)
    logs.configure(settings.log_level)
    with socket.socket(fileno=int(link)) as speaker:
        speaker.setblocking(False)
        asyncio.run(_run(settings, speaker, int(life)))


if __name__ == "__main__":
    main(*sys.argv[1:])

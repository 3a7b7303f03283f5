"""Answers API servers over TLS, with the certificate that is in the Secret now."""

import asyncio
import logging
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.kube.cache import Cache
from fleet.kube.errors import KubeError
from hub.admission.judge import Judge
from hub.admission.keys import SECRET, parse
from hub.admission.review import answer, read
from hub.certificates import Pair, belongs

PATH: Final = "/validate"
LONGEST_QUESTION: Final = 8 * 1024 * 1024
"""Twice the largest object that an API server takes, and more: it sends the old one, too."""
END_SECONDS: Final = 1.0
"""For questions that are being answered, at the end."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Every replica answers, whoever leads."""

    listen: str
    """host:port"""
    namespace: str
    secrets: Cache[Secret]
    judge: Judge

    async def run(self) -> None:
        """Serve for ever, as soon as there is a certificate."""
        changed = asyncio.Event()
        self.secrets.on_change(lambda secret: self._seen(secret, changed.set))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        while not _show(context, self._own()):
            await changed.wait()
            changed.clear()
        runner = await self._serve(context)
        log.info("the webhook answers", extra={"listen": self.listen})
        try:
            while True:
                await changed.wait()
                changed.clear()
                _show(context, self._own())
        finally:
            await runner.cleanup()

    def _seen(self, secret: Secret, tell: Callable[[], None]) -> None:
        if secret.name == SECRET:
            tell()

    def _own(self) -> Pair | None:
        secret = self.secrets.get(Key(self.namespace, SECRET))
        keys = parse(secret.data) if secret else None
        return keys.own if keys else None

    async def _serve(self, context: ssl.SSLContext) -> web.AppRunner:
        async def validate(request: web.Request) -> web.Response:
            try:
                asked = read(await request.read())
            except ValueError:
                return web.Response(status=400, text="no AdmissionReview")
            try:
                refusal = await self.judge.refusal(asked)
            except (KubeError, ValueError) as error:
                return web.Response(status=500, text=str(error))
            return web.Response(body=answer(asked.uid, refusal), content_type="application/json")

        app = web.Application(client_max_size=LONGEST_QUESTION)
        app.router.add_post(PATH, validate)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=END_SECONDS)
        await runner.setup()
        host, _, port = self.listen.rpartition(":")
        await web.TCPSite(runner, host.strip("[]") or None, int(port), ssl_context=context).start()
        return runner


def _show(context: ssl.SSLContext, pair: Pair | None) -> bool:
    """Use a certificate from the next connection on; OpenSSL reads it from files alone.

    One that a hand has spoilt is not used: who keeps the keys makes another.
    """
    if pair is None or not belongs(pair):
        return False
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        cert.write_text(pair.cert, encoding="ascii")
        key.touch(mode=0o600)
        key.write_text(pair.key, encoding="ascii")
        context.load_cert_chain(cert, key)
    return True

"""Keeps the webhook's keys fresh, and has the API server believe them."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fleet.api import names
from fleet.api.core import Secret
from fleet.api.keys import Key
from fleet.api.objects import Metadata
from fleet.kube.client import Client
from fleet.kube.errors import ConflictError, KubeError
from fleet.kube.resources import ApiResource
from fleet.runtime.clock import Clock
from hub.admission.keys import SECRET, Keys, parse, renewed
from hub.certificates import Maker

LOOK_SECONDS: Final = 30.0
"""Between looks; a chart's upgrade or a hand may have taken away what the server believes."""
CONFIGURATIONS: Final = ApiResource(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    False,
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Of several replicas the one that leads."""

    client: Client
    namespace: str
    configuration: str
    """Name of the ValidatingWebhookConfiguration, which the chart makes."""
    names: Sequence[str]
    """By which the API server calls the webhook."""
    clock: Clock
    maker: Maker

    async def run(self) -> None:
        while True:
            try:
                await self.keep()
            except ConflictError:
                continue
            except KubeError as error:
                log.warning("the webhook waits", extra={"why": str(error)})
            await asyncio.sleep(LOOK_SECONDS)

    async def keep(self) -> None:
        """Renew what is due; ConflictError where somebody wrote meanwhile."""
        await self._believed(await self._keys())

    async def _keys(self) -> Keys:
        secret = await self.client.get(Secret, Key(self.namespace, SECRET))
        old = parse(secret.data) if secret else None
        new = renewed(old, self.names, self.clock(), self.maker)
        if new is None:
            assert old is not None
            return old
        await self._write(secret, new)
        log.info("the webhook has a new certificate")
        return new

    async def _write(self, secret: Secret | None, keys: Keys) -> None:
        if secret is None:
            metadata = Metadata(
                name=SECRET,
                namespace=self.namespace,
                labels={names.MANAGED_BY: names.CATEGORY},
            )
            made = Secret(metadata=metadata, type="kubernetes.io/tls", data=keys.data())
            await self.client.create(made)
            return
        # Keys made from an old view would take the place of newer ones.
        version = secret.metadata.resource_version
        await self.client.json_patch(
            secret,
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": version},
                {"op": "add", "path": "/data", "value": keys.data()},
            ],
        )

    async def _believed(self, keys: Keys) -> None:
        key = Key("", self.configuration)
        found = await self.client.dynamic.get(CONFIGURATIONS, key)
        if found is None:
            log.warning("nobody asks the webhook: there is no %s", self.configuration)
            return
        if patch := _patch(found, b64encode(keys.believed.encode()).decode()):
            await self.client.dynamic.json_patch(CONFIGURATIONS, key, patch)


def _patch(found: Mapping[str, Any], bundle: str) -> list[dict[str, Any]]:
    """Change the bundles that differ, of the very version that was read."""
    webhooks = found.get("webhooks", ())
    version = found["metadata"]["resourceVersion"]
    changes = [
        {"op": "add", "path": f"/webhooks/{number}/clientConfig/caBundle", "value": bundle}
        for number, webhook in enumerate(webhooks)
        if webhook["clientConfig"].get("caBundle") != bundle
    ]
    tested = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    return [tested, *changes] if changes else []

"""What a hub runs for its webhook."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fleet.api.core import Secret
from fleet.kube.cache import Cache
from fleet.kube.client import ApiClient
from hub.admission.judge import Judge
from hub.admission.keeper import Keeper
from hub.admission.serving import Webhook
from hub.certificates import FreshKeys
from hub.settings import Settings

MANAGER = "modelfleet-hub-webhook"
Part = Callable[[], Awaitable[None]]


class Parts(NamedTuple):
    standing_by: tuple[Part, ...] = ()
    """In every replica: who answers API servers."""
    background: tuple[Part, ...] = ()
    """In the one that leads: who has them believe the answer."""


def webhook(settings: Settings, client: ApiClient, secrets: Cache[Secret] | None) -> Parts:
    """Give nothing where nothing is listened on."""
    if not settings.webhook_listen or secrets is None:
        return Parts()
    judge = Judge(client, settings.webhook_service_exports)
    answering = Webhook(settings.webhook_listen, settings.namespace, secrets, judge)
    keeper = Keeper(
        client=client.as_manager(MANAGER),
        namespace=settings.namespace,
        configuration=settings.webhook_configuration,
        names=settings.webhook_hosts,
        clock=client.now,
        maker=FreshKeys(),
    )
    return Parts((answering.run,), (keeper.run,))

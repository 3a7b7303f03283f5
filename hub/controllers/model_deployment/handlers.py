"""Turn each ModelDeployment into the InferenceSet and the placement that it stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleet.api.happenings import happenings
from fleet.api.keys import Key
from fleet.api.objects import Resource
from fleet.api.scope import parent
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.events import Tell, unheard
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock
from hub.controllers.model_deployment.apply import apply
from hub.controllers.model_deployment.events import TURNS
from hub.controllers.model_deployment.observe import Reads, observe
from hub.controllers.model_deployment.plan import plan
from hub.controllers.model_deployment.status import report


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDeployments:
    """One for each group that the kind is served in."""

    client: Client
    look: Reads
    clock: Clock
    tell: Tell = unheard

    @property
    def name(self) -> str:
        return f"model-deployment-{self.look.deployments.resource.group}"

    @property
    def reads(self) -> Sequence[Cache[Any]]:
        look = self.look
        return look.deployments, look.namesakes, look.inference_sets, *look.scope

    async def reconcile(self, key: Key) -> None:
        observed = observe(self.look, key)
        await apply(plan(observed), self.client)
        deployment = observed.deployment
        if deployment is None or deployment.deleting:
            return
        status = report(deployment, observed, now=self.clock())
        if status:
            await self.client.patch_status(deployment, status)
            turned = happenings(deployment.status.conditions, status.conditions, TURNS)
            self.tell(deployment, turned)

    def wake(self, queue: WorkQueue) -> None:
        """What a deployment makes bears its name; of other names there is nothing to do."""

        def same_name(resource: Resource) -> None:
            queue.add(resource.key)

        def placed(resource: Resource) -> None:
            queue.add(parent(resource))

        look = self.look
        for cache in (look.deployments, look.namesakes, look.inference_sets):
            cache.on_change(same_name)
        look.scope.placements.on_change(same_name)
        look.scope.bindings.on_change(placed)

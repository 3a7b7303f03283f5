"""The node's one duty: bring each inference pod's process to where its pod wants it."""

from dataclasses import dataclass

from cli.local.runner.apply import Hands, process_of
from cli.local.runner.plan import Admit, Note, Observed, Plan, Start, Terminate, plan
from cli.local.runner.pods import Container, Pod
from cli.local.runner.probing import Health
from cli.local.runner.records import Record, Run
from cli.local.runner.status import report, same
from fleet.api.objects import Key
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.queue import WorkQueue
from fleet.runtime.clock import Clock

_STEPS = 8
"""More than any pod needs from one rest to the next."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A pod, and the container of it that we run."""

    pod: Pod
    engine: Container


class Node:
    """Plays the pods of known images on all nodes of its cluster."""

    name = "node-runner"

    def __init__(
        self,
        pods: Cache[Pod],
        client: Client,
        hands: Hands,
        images: tuple[str, ...],
        clock: Clock,
    ) -> None:
        self._pods, self._client, self._hands = pods, client, hands
        self._images, self._clock = images, clock
        self._queue: WorkQueue

    def wake(self, queue: WorkQueue) -> None:
        """Look at every pod, and at what is left of pods that went while we were away."""
        self._queue = queue
        self._pods.on_change(lambda pod: queue.add(pod.key))
        for record in self._hands.records:
            queue.add(record.key)

    async def reconcile(self, key: Key) -> float | None:
        pod = self._pods.get(key)
        uid = pod.metadata.uid if pod else ""
        gone = [record.uid for record in self._hands.records.of(key) if record.uid != uid]
        waits = [await self._settle(one, None) for one in gone]
        engine = pod.engine(self._images) if pod and pod.spec.node_name else None
        if pod and engine:
            waits.append(await self._settle(uid, Ours(pod, engine)))
        return min((wait for wait in waits if wait is not None), default=None)

    async def _settle(self, uid: str, ours: Ours | None) -> float | None:
        """Plan and act until there is nothing to do but wait."""
        for _ in range(_STEPS):
            observed = self._observe(uid, ours)
            planned = plan(observed)
            if ours and planned.report:
                ours = await self._report(observed, ours, planned)
            for action in planned.actions:
                await self._hands.apply(action, ours.pod if ours else None, uid)
            if not isinstance(next(iter(planned.actions), None), Admit | Start | Note | Terminate):
                return planned.wake_in
        return 0.0

    def _observe(self, uid: str, ours: Ours | None) -> Observed:
        record = self._hands.records.get(uid)
        run = record.run if record else None
        observed = Observed(
            pod=ours.pod if ours else None,
            record=record,
            trouble=self._hands.troubles.get(uid),
            now=self._clock(),
        )
        if record is None or run is None or run.ended:
            return observed
        return self._observe_run(observed, record, run, ours)

    def _observe_run(
        self, observed: Observed, record: Record, run: Run, ours: Ours | None
    ) -> Observed:
        process, hands = process_of(run), self._hands
        alive = hands.processes.alive(process)
        if alive:
            self._attend(record, run, ours)
        return Observed(
            pod=observed.pod,
            record=record,
            alive=alive,
            exit_code=None if alive else hands.processes.exit_code(process),
            health=hands.prober.health(process),
            trouble=observed.trouble,
            now=observed.now,
        )

    def _attend(self, record: Record, run: Run, ours: Ours | None) -> None:
        """Hear of the end of a process, and of its health; of one that we find running too."""
        process, key = process_of(run), record.key
        self._hands.processes.follow(process, lambda: self._queue.add(key))
        if ours:
            self._hands.prober.watch(
                process,
                ours.engine,
                record.address,
                lambda: self._queue.add(key),
                _known(ours, run),
            )

    async def _report(self, observed: Observed, ours: Ours, planned: Plan) -> Ours:
        status = report(observed, ours.pod, ours.engine, planned.pause)
        if same(ours.pod, status):
            return ours
        return Ours(await self._client.patch_status(ours.pod, status), ours.engine)


def _known(ours: Ours, run: Run) -> Health | None:
    """Say what was last reported of this very run: who serves goes on serving."""
    for status in ours.pod.status.container_statuses:
        if status.name == ours.engine.name and status.restart_count == run.number:
            reported = status.state.running and status.started
            return Health(started=True, ready=status.ready) if reported else None
    return None

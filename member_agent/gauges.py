"""What Prometheus asks the agent about its member."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fleet.api.conditions import find
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.tally import Tally
from fleet.kube.tokens import life_of
from fleet.runtime.gauges import TOKEN_EXPIRES, WORKLOAD_READY, Values
from member_agent.kinds import Kinds

READY = {"Workspace": "InferenceReady", "InferenceSet": "InferenceSetReady"}


class Gauges:
    """Begins to count when it is made: before the caches are filled."""

    def __init__(self, kinds: Kinds, token_file: Path) -> None:
        self._token_file = token_file
        self._workspaces = Tally(kinds.workspaces, ready)
        self._sets = Tally(kinds.inference_sets, ready)

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Answer while the block runs."""
        with TOKEN_EXPIRES.asks(self.token), WORKLOAD_READY.asks(self.workloads):
            yield

    def token(self) -> Values:
        with suppress(OSError, UnicodeDecodeError):
            if life := life_of(self._token_file.read_text(encoding="utf-8").strip()):
                yield (), life.expires.timestamp()

    def workloads(self) -> Values:
        for kind, tally in (("Workspace", self._workspaces), ("InferenceSet", self._sets)):
            for key, there in tally.values.items():
                yield (kind, key.namespace, key.name), float(there)


def ready(workload: Workspace | InferenceSet) -> bool:
    found = find(workload.status.conditions, READY[workload.kind()])
    return found is not None and found.true

"""What is just being written of bindings: a run goes on by it while the server takes it in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleet.api.binding import Binding, BindingStatus

Listener = Callable[[Binding, Binding], None]


class Foretold:
    """The statuses of one scope's bindings that are on their way to the server.

    They are true whether or not they get there: what they tell of has happened on a member, and is
    told once more where a write fails or the hub ends before.
    """

    def __init__(self) -> None:
        self._said: dict[str, BindingStatus] = {}
        """By the binding's uid."""
        self._listeners: list[Listener] = []

    def on_change(self, listener: Listener) -> None:
        """Hear of a binding as it is, and as it will be."""
        self._listeners.append(listener)

    @contextmanager
    def saying(self, binding: Binding, status: BindingStatus) -> Iterator[None]:
        """Let others know a status for as long as it is being written."""
        uid = binding.metadata.uid
        self._said[uid] = status
        try:
            for listener in self._listeners:
                listener(binding, self.read(binding))
            yield
        finally:
            del self._said[uid]

    def read(self, binding: Binding) -> Binding:
        """Give a binding as it will be."""
        said = self._said.get(binding.metadata.uid)
        if said is None:
            return binding
        types = {condition.type for condition in said.conditions}
        others = (each for each in binding.status.conditions if each.type not in types)
        status = binding.status.model_copy(update={"conditions": (*others, *said.conditions)})
        return binding.model_copy(update={"status": status})

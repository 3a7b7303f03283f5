"""How each page that tells of all workers is written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway import exposition, status
from gateway.link import Topic
from gateway.metrics import Counts, Report

PAGES: Final[Mapping[Topic, Callable[[Counts, Sequence[Report]], bytes]]] = {
    Topic.METRICS: exposition.render,
    Topic.STATUS: status.render,
}

"""What a worker counts: plain numbers on the way of a request, put together when asked for."""

from msgspec import Struct, field

from gateway.generation import DURATION, Generation
from gateway.histogram import Histogram
from gateway.standing import Standing

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
Label = tuple[str, ...]
Numbers = dict[Label, int]


class Counts(Struct):
    """What happened since a worker's start, by model and region; only models that are known."""

    answers: dict[Label, Generation] = field(default_factory=dict)
    """By model, region and the answer's status."""
    errors: Numbers = field(default_factory=dict)
    """Tries that failed, by model, region and reason."""
    continued: Numbers = field(default_factory=dict)
    """Streams that were cut and went on, by model and the region where they did."""
    refused: Numbers = field(default_factory=dict)
    """Requests that no upstream was asked for, by the error's code."""
    first_byte: dict[Label, Histogram] = field(default_factory=dict)

    def answered(
        self, model: str, region: str, status: str, tries: int, seconds: float = 0.0
    ) -> Generation:
        """Count an answer; gives where to count what else is known of it."""
        label = (model, region, status)
        answer = self.answers.get(label)
        if answer is None:
            answer = self.answers[label] = Generation()
        answer.tries += tries
        if tries > 1:
            answer.retries += tries - 1
        answer.duration.observe(seconds, DURATION)
        return answer

    def began(self, model: str, region: str, seconds: float) -> None:
        """Count the time from a whole request to its answer's first byte."""
        histogram = self.first_byte.get((model, region))
        if histogram is None:
            histogram = self.first_byte[model, region] = Histogram.of(BUCKETS)
        histogram.observe(seconds, BUCKETS)

    def failed(self, model: str, region: str, reason: str) -> None:
        """Count a try that failed; the request may still be answered."""
        _add(self.errors, (model, region, str(reason)), 1)

    def went_on(self, model: str, region: str) -> None:
        """Count a stream that was cut and goes on there."""
        _add(self.continued, (model, region), 1)

    def turned_down(self, code: str) -> None:
        """Count a request that no upstream was asked for."""
        _add(self.refused, (code,), 1)

    def add(self, other: "Counts") -> None:
        """Take in what another worker counted."""
        for mine, yours in (
            (self.errors, other.errors),
            (self.continued, other.continued),
            (self.refused, other.refused),
        ):
            for label, number in yours.items():
                _add(mine, label, number)
        for label, histogram in other.first_byte.items():
            self.first_byte.setdefault(label, Histogram.of(BUCKETS)).add(histogram)
        for label, answer in other.answers.items():
            self.answers.setdefault(label, Generation()).add(answer)


class Report(Struct, frozen=True):
    """All that one worker knows."""

    counts: Counts
    standings: dict[str, Standing]
    """By the endpoint's name."""
    waiting: dict[str, int] = {}
    """Requests that wait for a place, by model."""


def _add(numbers: Numbers, label: Label, number: int) -> None:
    numbers[label] = numbers.get(label, 0) + number

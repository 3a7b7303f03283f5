"""What users were told of, for a test to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fleet.api.happenings import Happening
from fleet.api.objects import Resource


@dataclass(slots=True)
class Heard:
    all: list[tuple[str, Happening]] = field(default_factory=list)
    """With the name of the object that it happened to."""

    def tell(self, about: Resource, happened: Iterable[Happening]) -> None:
        self.all += [(about.name, happening) for happening in happened]

    @property
    def reasons(self) -> list[str]:
        """Give the reasons in order, those of warnings with an exclamation mark."""
        return [f"{told.reason}{'!' if told.warning else ''}" for _, told in self.all]

    @property
    def messages(self) -> list[str]:
        return [told.message for _, told in self.all]

    def take(self) -> list[str]:
        """Give the reasons since the last look."""
        reasons = self.reasons
        self.all.clear()
        return reasons

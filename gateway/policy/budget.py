"""How many retries all requests together may cause: a failing fleet is not asked twice as much."""

from dataclasses import dataclass


@dataclass(slots=True)
class RetryBudget:
    """Tokens: a retry takes one, each request and each second bring some back."""

    capacity: float = 1000.0
    """Enough for every request in flight of a lost region to go elsewhere at once."""
    per_request: float = 0.2
    per_second: float = 10.0
    tokens: float = 1000.0
    seen: float = 0.0

    def request(self) -> None:
        if self.tokens < self.capacity:
            self.tokens += self.per_request

    def affords(self, now: float) -> bool:
        """Tell whether there is enough for a retry."""
        earned = (now - self.seen) * self.per_second
        self.tokens, self.seen = min(self.capacity, self.tokens + earned), now
        return self.tokens >= 1

    def spend(self, now: float) -> bool:
        """Take what a retry costs, or say no."""
        if not self.affords(now):
            return False
        self.tokens -= 1
        return True

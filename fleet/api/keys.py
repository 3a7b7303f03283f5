"""Addresses of objects; apart from the models, so that a worker need not load pydantic."""

from typing import NamedTuple, Self

from typing_extensions import override


class Key(NamedTuple):
    """Address of an object among those of its kind; a cluster-scoped one has no namespace."""

    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        namespace, _, name = text.rpartition("/")
        return cls(namespace, name)

"""What the server calls a kind, and the path under which it serves it."""

from typing import Any, NamedTuple, Self


class ApiResource(NamedTuple):
    """A kind in the version in which it is read and written."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @classmethod
    def of(cls, model: Any) -> Self:
        """Take the kind from its class: API, NAMESPACED, kind() and plural()."""
        return cls(model.API, model.kind(), model.plural(), model.NAMESPACED)

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def crd(self) -> str:
        """Name the CustomResourceDefinition of the kind."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Give the URL's path; without a namespace that of all namespaces."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        parts = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{scope}/{self.plural}{parts}"

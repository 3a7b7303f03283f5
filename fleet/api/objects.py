"""What every object of the Kubernetes API has in common."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from fleet.api.keys import Key

__all__ = ["Key", "LabelSelector", "Metadata", "Model", "OwnerReference", "Resource"]


class Model(BaseModel):
    """A part of an object, as far as we read it: fields that we do not name pass by unseen."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def dump(self) -> dict[str, Any]:
        """As JSON, and only what was set: an apply owns every field that it holds."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True)


class OwnerReference(Model):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class Metadata(Model):
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None


class Resource(Model):
    """A whole object; the class bears the name of its kind unless KIND says otherwise."""

    API: ClassVar[str]
    """Group and version, the version that is stored: "placement.kubernetes-fleet.io/v1beta1"."""
    KIND: ClassVar[str] = ""
    PLURAL: ClassVar[str] = ""
    NAMESPACED: ClassVar[bool] = True

    metadata: Metadata

    @classmethod
    def kind(cls) -> str:
        return cls.KIND or cls.__name__

    @classmethod
    def plural(cls) -> str:
        return cls.PLURAL or f"{cls.kind().lower()}s"

    @classmethod
    def group(cls) -> str:
        return cls.API.rpartition("/")[0]

    @classmethod
    def version(cls) -> str:
        return cls.API.rpartition("/")[2]

    @classmethod
    def crd(cls) -> str:
        return f"{cls.plural()}.{cls.group()}"

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    @property
    def key(self) -> Key:
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    def manifest(self) -> dict[str, Any]:
        return {"apiVersion": self.API, "kind": self.kind(), **self.dump()}

    def owner_reference(self, *, controller: bool = True) -> OwnerReference:
        """Refer to this object as the owner of another."""
        return OwnerReference(
            api_version=self.API,
            kind=self.kind(),
            name=self.name,
            uid=self.metadata.uid,
            controller=controller,
            block_owner_deletion=True,
        )


def meets(value: str | None, operator: str, values: Sequence[str]) -> bool:
    """Say whether a label's value, None where there is none, is as a requirement wants it."""
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return False


class LabelSelectorRequirement(Model):
    key: str
    """Key of the label."""
    operator: str
    """In, NotIn, Exists or DoesNotExist."""
    values: tuple[str, ...] = ()
    """Values to compare with; none for Exists and DoesNotExist."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        return meets(labels.get(self.key), self.operator, self.values)


class LabelSelector(Model):
    """A label query; all of its requirements must hold, and an empty one matches everything."""

    match_labels: Mapping[str, str] = Field(default={})
    """Labels that must have exactly these values."""
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()
    """Further requirements on labels."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            requirement.matches(labels) for requirement in self.match_expressions
        )

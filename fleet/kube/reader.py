"""How the JSON of a kind becomes what programs read, and whether two of them read the same."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import eq
from typing import Any, Generic, TypeVar

import msgspec

from fleet.kube.resources import ApiResource

R = TypeVar("R")
Unreadable = (ValueError, msgspec.MsgspecError)
"""What a parser raises upon an object that is not as its model says."""


@dataclass(frozen=True, slots=True)
class Reader(Generic[R]):
    resource: ApiResource
    parse: Callable[[bytes], R]
    same: Callable[[R, R], bool]
    metadata_only: bool = False


def reader(model: "type[R] | Reader[R]") -> "Reader[R]":
    """Read a pydantic `Resource`, or a msgspec Struct that describes its kind in the same way."""
    if isinstance(model, Reader):
        return model
    resource = ApiResource.of(model)
    if issubclass(model, msgspec.Struct):
        return Reader(resource, msgspec.json.Decoder(model).decode, eq)
    shape: Any = model
    return Reader(resource, shape.model_validate_json, _same)


def _same(old: Any, new: Any) -> bool:
    """Compare what two versions of an object say, save that they are two versions."""
    version = {"resource_version": new.metadata.resource_version}
    if old.metadata.model_copy(update=version) != new.metadata:
        return False
    return all(value == vars(new)[name] for name, value in vars(old).items() if name != "metadata")


def reason(error: Exception) -> str:
    """Say what is wrong and where, without the value: it may be a secret."""
    errors: Any = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    details = errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in details)

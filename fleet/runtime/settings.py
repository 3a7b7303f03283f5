"""Read a program's settings from its environment, once."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

T = TypeVar("T")
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LeaseSeconds = Annotated[float, Field(ge=1, le=300)]
"""A Lease object states whole seconds."""
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class SettingsError(ValueError):
    """A setting that cannot be read; the message names its variable."""


def read(settings: type[T], prefix: str, environ: Mapping[str, str]) -> T:
    """Take `HUB_WORKERS` for the field `workers` where the prefix is `HUB_`, and so on."""
    shape: Any = settings
    names = {f"{prefix}{field.name}".upper(): field.name for field in fields(shape)}
    given = {names[key]: value for key, value in environ.items() if key in names}
    try:
        return TypeAdapter(settings).validate_python(given)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = [f"{prefix}{'.'.join(map(str, e['loc']))}".upper() + f": {e['msg']}" for e in said]
        raise SettingsError("; ".join(wrong)) from error

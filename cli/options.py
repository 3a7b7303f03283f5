"""Options that several commands have, and how those of one are a dataclass where they are many."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from cli.output import Output

Format = Annotated[Output, typer.Option("-o", "--output", help="For people, or for programs.")]
Kubeconfig = Annotated[
    str, typer.Option(envvar="KUBECONFIG", help="The hub's; else ~/.kube/config or the local one.")
]
O = TypeVar("O")  # noqa: E741


def command(options: type[O], run: Callable[[O], None]) -> Callable[..., None]:
    """Make a function that Typer can take: one parameter for each field, in their order."""

    def called(**given: Any) -> None:
        run(options(**given))

    hints = get_type_hints(options, include_extras=True)
    shape: Any = options
    parameters = [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(shape)
    ]
    made: Any = called
    made.__signature__ = Signature(parameters)
    made.__annotations__ = hints
    made.__name__, made.__doc__ = run.__name__, run.__doc__
    return called

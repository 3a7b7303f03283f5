"""`modelfleet explain`: where a placement goes, what it takes there, and why."""

from typing import Annotated, Any, Final

import typer

from cli.explain.answers import Answer, as_data
from cli.explain.decisions import Fleetwide, decided, of_manifests
from cli.explain.manifests import ExplainError, read
from cli.explain.questions import questions
from cli.explain.table import show
from cli.hub_access import NoHubError, asking_hub
from cli.options import Kubeconfig
from cli.output import View, fail, print_document
from fleet.catalog.catalogue import load

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[placement] [NAME]",
        show_default=False,
        help="A placement on the hub, instead of files.",
    ),
]
KINDS: Final = ("placement", "crp", "rp", "clusterresourceplacement", "resourceplacement")
"""What may stand before a name, in the singular or with an s; its namespace says which it is."""
Files = Annotated[
    list[str] | None, typer.Option("-f", "--file", help="Manifests to explain; - is stdin.")
]
FleetFile = Annotated[
    str, typer.Option("--fleet", help="File with MemberClusters; without it, the hub's.")
]
Namespace = Annotated[
    str, typer.Option("-n", "--namespace", help="Of a ResourcePlacement, or where none is given.")
]

Format = Annotated[
    View, typer.Option("-o", "--output", help="For people, with all details, or for programs.")
]


def explain(
    words: Words = None,
    file: Files = None,
    fleet: FleetFile = "",
    namespace: Namespace = "",
    output: Format = View.TABLE,
    kubeconfig: Kubeconfig = "",
) -> None:
    """Say where a placement goes, what it takes and costs there, and why no other cluster.

    Every cluster has its verdict, with the points that it earned or the filters that refuse it; -o
    wide shows all points and filters.

    Without a cluster: modelfleet explain -f examples/phi-4-mini.yaml --fleet examples/fleet.yaml

    On a hub: modelfleet explain placement chat, or modelfleet explain placement qwen2-7b -n models
    """
    try:
        placement = _named(words or [])
        if placement:
            answers = _on_hub(placement, namespace, kubeconfig, offline=bool(file or fleet))
        else:
            answers = _of_files(file or [], fleet, namespace, kubeconfig)
    except ExplainError as error:
        raise fail(str(error)) from error
    _print(answers, output)


def _named(words: list[str]) -> str:
    """Read the name of a placement, with or without its kind: as two words, or as kind/name."""
    *kind, name = words[0].split("/") if len(words) == 1 else words or [""]
    if len(kind) > 1 or any(each.lower().removesuffix("s") not in KINDS for each in kind):
        raise ExplainError(
            f"{' '.join(words)} is no placement: say modelfleet explain placement NAME"
        )
    return name


def _of_files(files: list[str], fleet: str, namespace: str, kubeconfig: str) -> list[Answer]:
    if not files:
        raise ExplainError("say which placement on the hub, or give manifests with -f FILE")
    catalogue = load()
    asked = questions(read(files), catalogue, namespace or "default")
    if fleet:
        return decided(asked, of_manifests(read([fleet]), catalogue, file=fleet))
    found: Fleetwide = _hub().world(kubeconfig, catalogue)
    return decided(asked, found)


def _on_hub(placement: str, namespace: str, kubeconfig: str, *, offline: bool) -> list[Answer]:
    if offline:
        raise ExplainError(f"-f and --fleet are for files, and {placement} is asked of the hub")
    found, question = _hub().world_and_question(kubeconfig, load(), namespace, placement)
    return decided([question], found)


def _hub() -> Any:
    try:
        return asking_hub("cli.explain.hub")
    except NoHubError as error:
        raise ExplainError(str(error)) from error


def _print(answers: list[Answer], output: View) -> None:
    if programs := output.for_programs:
        print_document(as_data(answers), programs)
    else:
        show(answers, wide=output is View.WIDE)

"""kubectl is run as the user has it, and its lines are told apart by their cluster."""

from pathlib import Path

from cli.kubeconfigs import Access
from cli.logs.kubectl import Source, follow

SOURCE = Source("us", "chat", "kaito.sh/workspace=phi", Access("/k", "prod"))


def program(folder: Path, script: str) -> str:
    path = folder / "kubectl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def test_it_is_told_the_cluster_the_pods_and_how_much(tmp_path: Path) -> None:
    told: list[str] = []
    binary = program(tmp_path, 'echo "$@"')
    assert not await follow(binary, SOURCE, told.append, tail=5, following=True)
    (said,) = told
    assert said == (
        "us --kubeconfig=/k --context=prod logs --namespace=chat"
        " --selector=kaito.sh/workspace=phi --prefix --all-containers --tail=5"
        " --max-log-requests=100 --follow=true"
    )


async def test_what_it_says_of_an_error_is_told_and_noted(tmp_path: Path) -> None:
    told: list[str] = []
    binary = program(tmp_path, "echo no such host >&2; exit 1")
    assert await follow(binary, SOURCE, told.append, tail=5, following=False)
    assert told == ["us no such host"]


async def test_empty_long_and_unfinished_lines_are_all_told(tmp_path: Path) -> None:
    told: list[str] = []
    script = "echo; head -c 200000 /dev/zero | tr '\\0' x; echo; printf end"
    await follow(program(tmp_path, script), SOURCE, told.append, tail=5, following=False)
    assert told[0].strip() == "us"
    assert told[-1] == "us end"
    assert sum(line.count("x") for line in told) == 200_000

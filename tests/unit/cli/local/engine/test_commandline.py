"""The image's command line is understood, and what cannot be used is named."""

from pathlib import Path

import pytest

from cli.local.engine.commandline import Options, UsageError, parse


def options(**given: object) -> Options:
    plain: dict[str, object] = {
        "model": "org/phi",
        "served": ("org/phi",),
        "adapters": {},
        "host": "0.0.0.0",  # noqa: S104
        "port": 8000,
        "max_model_len": 32_768,
        "max_num_seqs": 256,
        "ignored": (),
    }
    return Options(**(plain | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("serve org/phi", options()),
        ("org/phi", options()),
        ("--model org/phi --port=5000", options(port=5000)),
        ("serve org/phi --served-model-name phi p", options(served=("phi", "p"))),
        ("serve org/phi --served_model_name=phi", options(served=("phi",))),
        (
            "serve org/phi --host 127.0.0.1 --max-num-seqs 2",
            options(host="127.0.0.1", max_num_seqs=2),
        ),
        ("serve org/phi --max-model-len 8k", options(max_model_len=8000)),
        ("serve org/phi --max-model-len 1.5K", options(max_model_len=1536)),
        ("serve org/phi --max-model-len=auto", options()),
        ("serve org/phi --max-model-len -1", options()),
        (
            "serve org/phi --dtype=half --tensor-parallel-size 2 --seed 1 --port 5000",
            options(port=5000, ignored=("dtype", "seed", "tensor-parallel-size")),
        ),
        (
            "serve org/phi --gpu-memory-utilization 0.9",
            options(ignored=("gpu-memory-utilization",)),
        ),
        (
            "serve org/phi --enable-lora --max-loras=2 --lora-modules sql=/a chat=/b --port=1",
            options(adapters={"sql": "/a", "chat": "/b"}, port=1, ignored=("max-loras",)),
        ),
        ("serve org/phi --port 1 --port 2", options(port=2)),
        ("serve --port 5000 org/phi", options(port=5000)),
    ],
)
def test_a_command_line_says_what_is_served(line: str, expected: Options) -> None:
    assert parse(line.split()) == expected


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("serve", "name the model"),
        ("serve org/phi --port many", "--port: 'many'"),
        ("serve org/phi --lora-modules sql=/a", "--lora-modules needs --enable-lora"),
        (
            "serve org/phi --enable-lora --lora-modules sql",
            "--lora-modules: 'sql' is not name=path",
        ),
        ("serve org/phi --port", "--port needs a value"),
        ("serve org/phi --max-num-seqs 0", "--max-num-seqs: '0'"),
        ("serve org/phi --max-model-len long", "--max-model-len: 'long'"),
        ("serve org/phi --config /no/such/file", "--config /no/such/file"),
    ],
)
def test_what_cannot_be_used_is_named(line: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse(line.split())


@pytest.mark.parametrize("indent", ["", "vllm:\n  "])
def test_a_file_fills_in_what_the_command_line_leaves_open(tmp_path: Path, indent: str) -> None:
    file = tmp_path / "config.yaml"
    step = "  " if indent else ""
    file.write_text(
        f"{indent}served-model-name: [phi, p]\n{step}port: 1\n{step}max_model_len: 99\n"
    )
    given = parse(["serve", "org/phi", "--port", "5000", "--config", str(file)])
    assert given == options(served=("phi", "p"), port=5000, max_model_len=99)


@pytest.mark.parametrize("content", ["a list, not: [a mapping", "- port"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(content)
    with pytest.raises(UsageError, match=str(file)):
        parse(["serve", "org/phi", "--config", str(file)])

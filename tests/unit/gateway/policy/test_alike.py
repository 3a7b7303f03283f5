"""Who mistypes a model's name is told which one may be meant."""

import pytest

from gateway.policy.alike import Names

KNOWN = Names(
    ("llama-3.1-8b", "llama-3.1-70b", "qwen2.5-7b", "phi-4", "Mistral-7B", "llama-3.1-8b")
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lama-3.1-8b", ("llama-3.1-8b", "llama-3.1-70b")),
        ("qwen-2.5-7b", ("qwen2.5-7b",)),
        ("mistral-7b", ("Mistral-7B",)),
        ("phi4", ("phi-4",)),
        ("gpt-4o", ()),
        ("é", ()),
        ("x" * 10_000_000, ()),
    ],
)
def test_the_names_that_are_close_are_found_the_closest_first(
    name: str, expected: tuple[str, ...]
) -> None:
    assert KNOWN.nearest(name) == expected


def test_of_many_that_are_alike_few_are_named() -> None:
    assert Names(f"phi-{number}" for number in range(10)).nearest("phi-") == (
        "phi-0",
        "phi-1",
        "phi-2",
    )

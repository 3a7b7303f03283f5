"""Which pods are ours."""

import pytest

from cli.local.runner.pods import known


@pytest.mark.parametrize(
    ("image", "ours"),
    [
        ("vllm/vllm-openai", True),
        ("vllm/vllm-openai:v0.11.0", True),
        ("vllm/vllm-openai@sha256:00", True),
        ("registry:5000/mirror/vllm/vllm-openai:v1@sha256:00", True),
        ("vllm/vllm-openai-cpu:v1", False),
        ("my-vllm/vllm-openai", False),
        ("nginx", False),
        ("", False),
    ],
)
def test_an_image_is_known_by_its_repository(image: str, ours: bool) -> None:
    assert known(image, ("vllm/vllm-openai", "other")) is ours

"""The ConfigMap of a Workspace: what becomes of it on the engine's command line."""

import pytest

from fleet.api.core import ConfigMap
from fleet.api.objects import Metadata
from tests.unit.member_agent.controllers.workspace.member import phi
from tests.unit.member_agent.controllers.workspace.plan.sight import config, engine, refused

SERVED = phi(inference={"preset": {"name": "phi-4-mini-instruct"}, "config": "tuned"})


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("", []),
        ("vllm:", []),
        ("vllm: {}", []),
        ("vllm: {max-model-len: 4096}", ["--max-model-len=4096"]),
        ("vllm: {max_model_len: 4096}", ["--max-model-len=4096"]),
        ("vllm: {gpu-memory-utilization: 0.7}", ["--gpu-memory-utilization=0.7"]),
        ("vllm: {enforce-eager: true}", ["--enforce-eager"]),
        ("vllm: {enable-prefix-caching: false}", ["--no-enable-prefix-caching"]),
        ("vllm: {seed: null}", []),
        ("vllm: {seed: 0}", ["--seed=0"]),
        (
            "vllm: {speculative-config: {num: 2, method: ngram}}",
            ['--speculative-config={"method": "ngram", "num": 2}'],
        ),
        ("vllm: {swap-space: 4, seed: 1}", ["--seed=1", "--swap-space=4"]),
        ("max_probe_steps: 6", []),
    ],
)
def test_settings_become_flags_after_ours(text: str, flags: list[str]) -> None:
    args = engine(SERVED, config=config(text))["args"]
    assert args[:8] == engine(phi())["args"]
    assert args[8:] == flags


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "inference.config: there is no ConfigMap demo/tuned"),
        (
            ConfigMap(metadata=Metadata(name="tuned", namespace="demo")),
            "inference.config: ConfigMap demo/tuned lacks the key inference_config.yaml",
        ),
        (config("{"), "inference.config: ConfigMap demo/tuned, inference_config.yaml is not YAML"),
        (config("- a"), "is not a map with a map `vllm`"),
        (config("vllm: [a]"), "is not a map with a map `vllm`"),
    ],
    ids=["missing", "without its key", "no YAML", "a list", "a list inside"],
)
def test_a_config_that_cannot_be_read_is_told(given: ConfigMap | None, told: str) -> None:
    refusal = refused(SERVED, config=given)
    assert told in refusal.message
    assert "\n" not in refusal.message
    assert refusal.final

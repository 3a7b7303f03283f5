"""Who has a model's name: one decision, which routes follow and statuses tell."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.api.service import ModelService
from fleet.engine.naming import eldest_first, name_models
from fleet.testing.workloads import NOON, metadata

NAMES = st.sampled_from(["phi", "qwen", "a/phi", "b/qwen", "org/x"])
CLAIMS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "org"]), st.lists(NAMES, min_size=1, max_size=3)),
    max_size=6,
)


@given(CLAIMS)
def test_no_two_share_a_name_and_everything_is_reached_by_its_full_name(
    claims: list[tuple[str, list[str]]],
) -> None:
    named = name_models(claims)
    given_out = [name for own, _ in named for name in own]
    assert len(given_out) == len(set(given_out))
    owners = {
        name: namespace
        for (namespace, _), (own, _) in zip(claims, named, strict=True)
        for name in own
    }
    full = {f"{namespace}/{name}": namespace for namespace, wanted in claims for name in wanted}
    assert full.items() <= owners.items()
    for name in {name for _, wanted in claims for name in wanted}:
        eldest = next(namespace for namespace, wanted in claims if name in wanted)
        assert owners[name] == full.get(name, eldest)


def service(namespace: str, hours: int | None = 0, *, going: bool = False) -> ModelService:
    times = {} if hours is None else {"creationTimestamp": NOON + timedelta(hours=hours)}
    end = {"deletionTimestamp": NOON} if going else {}
    meta = metadata("phi", namespace, **times, **end)
    return ModelService.model_validate({"metadata": meta, "spec": {"model": "phi"}})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (service("b", -1), service("a")),
        (service("a"), service("b")),
        (service("b"), service("a", -1, going=True)),
        (service("b", None), service("a", -1)),
    ],
    ids=["the elder", "of equals the first by name", "one that stays", "one of unknown age"],
)
def test_names_are_given_to_the_elder_first(first: ModelService, second: ModelService) -> None:
    assert eldest_first([second, first]) == eldest_first([first, second]) == [first, second]

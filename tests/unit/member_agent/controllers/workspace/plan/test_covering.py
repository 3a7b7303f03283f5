"""What others add to an object is theirs; what they change of ours is seen."""

from typing import Any

import pytest

from member_agent.controllers.workspace.plan.covering import covers


def container(**more: Any) -> dict[str, Any]:
    return {"name": "engine", "image": "vllm:1", "args": ["--a", "--b"], **more}


WANTED = {"containers": [container(resources={"limits": {"cpu": 4}}, env=[])]}
DEFAULTS = {"imagePullPolicy": "IfNotPresent", "resources": {"limits": {"cpu": "4"}}}


@pytest.mark.parametrize(
    ("live", "same"),
    [
        ({"containers": [container(**DEFAULTS)]}, True),
        ({"containers": [container(**DEFAULTS)], "dnsPolicy": "ClusterFirst"}, True),
        ({"containers": [{"name": "sidecar"}, container(**DEFAULTS)]}, True),
        ({"containers": [container(**DEFAULTS | {"image": "vllm:2"})]}, False),
        ({"containers": [container(**DEFAULTS | {"args": ["--b", "--a"]})]}, False),
        ({"containers": [container(**DEFAULTS | {"args": ["--a", "--b", "--c"]})]}, False),
        ({"containers": [container(resources={"limits": {"cpu": "3"}})]}, False),
        ({"containers": [container()]}, False),
        ({"containers": [{"name": "sidecar"}]}, False),
        ({"containers": []}, False),
        ({}, False),
    ],
)
def test_an_object_is_as_written_while_it_has_all_that_was_written(
    live: dict[str, Any], same: bool
) -> None:
    assert covers(live, WANTED) is same


@pytest.mark.parametrize(
    ("live", "wanted"),
    [(None, ""), (None, {}), ({}, {"a": None, "b": False, "c": 0}), ("1", "1000m"), ("1Gi", 2**30)],
)
def test_what_the_server_keeps_otherwise_is_the_same(live: Any, wanted: Any) -> None:
    assert covers(live, wanted)

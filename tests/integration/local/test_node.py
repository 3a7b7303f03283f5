"""Inference pods as real processes: they come, are probed, are restarted and go as on a node."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx
import pytest

from cli.local import procfs
from cli.local.runner.exposure import PortForward
from fleet.testing.waiting import until
from tests.integration.local.node_world import (
    ENGINE,
    HEALTH,
    KEY,
    PORT,
    STUBBORN,
    World,
    network,
    node_world,
    ready,
)

HELD = {"finalizers": ["test/held"]}
"""Keeps a deleted pod on the server, which has no grace period of its own."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with node_world(tmp_path) as made:
        yield made


async def models(world: World) -> list[str]:
    async with httpx.AsyncClient() as client:
        answer = (await client.get(f"{world.url()}/v1/models")).json()
    return [model["id"] for model in answer["data"]]


async def kill(world: World) -> procfs.Process:
    process = world.process()
    os.kill(process.pid, SIGKILL)
    await until(lambda: not procfs.alive(process))
    return process


async def test_a_pod_becomes_ready_by_its_probe_and_serves_at_an_address_of_its_own(
    world: World,
) -> None:
    world.put()
    await until(world.ready)
    pod = world.live()
    assert IPv4Address(str(pod.status.pod_ip)) in network()
    assert await models(world) == ["phi"]
    states = [(one.status.phase, ready(one)) for one in world.history]
    assert list(dict.fromkeys(states)) == [
        ("", False),
        ("Running", False),
        ("Running", True),
    ]
    assert world.engine().restart_count == 0


async def test_two_pods_have_the_same_port_at_different_addresses(world: World) -> None:
    one, other = world.put(name="phi-0"), world.put(name="phi-1")
    await until(lambda: world.ready(one) and world.ready(other))
    assert world.live(one).status.pod_ip != world.live(other).status.pod_ip
    assert world.process(one) != world.process(other)


@pytest.mark.parametrize(
    "parts",
    [
        {"container": {"name": "web", "image": "nginx"}},
        {"spec": {"nodeName": ""}},
    ],
    ids=["another image", "no node yet"],
)
async def test_a_pod_that_is_not_of_this_node_is_left_alone(
    world: World, parts: dict[str, Any]
) -> None:
    world.put(**parts)
    world.put(name="ours")
    await until(lambda: bool(world.engine(world.live().key._replace(name="ours")).container_id))
    assert world.live().status.phase == ""
    assert [record.name for record in world.runner.hands.records] == ["ours"]


async def test_a_pod_starts_once_it_has_a_node(world: World) -> None:
    world.put(spec={"nodeName": ""})
    world.put()
    await until(lambda: world.live().status.phase == "Running")


async def test_a_killed_process_is_restarted_and_not_ready_until_it_is_probed(
    world: World,
) -> None:
    world.put()
    await until(world.ready)
    address, before = world.live().status.pod_ip, len(world.history)
    killed = await kill(world)
    await until(lambda: world.engine().restart_count == 1 and world.ready())
    assert world.process() != killed
    assert world.live().status.pod_ip == address
    ended = world.engine().last_state.terminated
    assert ended
    assert (ended.exit_code, ended.reason) == (137, "Error")
    second = [one for one in world.history[before:] if _restarts(one) == 1]
    assert not ready(second[0])
    assert ready(second[-1])


def _restarts(pod: Any) -> int:
    return max((status.restart_count for status in pod.status.container_statuses), default=0)


async def test_what_fails_again_and_again_is_restarted_later_each_time(world: World) -> None:
    world.put(container=ENGINE | {"args": ["org/phi", "--port", "nonsense"]})
    await until(lambda: world.waits() == "CrashLoopBackOff")
    assert world.engine().restart_count == 1
    ended = world.engine().last_state.terminated
    assert ended
    assert ended.exit_code == 2
    assert "--port: 'nonsense'" in str(ended.message)
    world.later(5)
    await until(lambda: len(world.runner.queue) == 0)
    assert world.engine().restart_count == 1
    world.later(6)
    await until(lambda: world.engine().restart_count == 2 and world.waits() == "CrashLoopBackOff")
    waiting = world.engine().state.waiting
    assert waiting
    assert waiting.message == "back-off 20s restarting failed container"
    assert world.live().status.phase == "Running"


async def test_a_liveness_probe_that_fails_restarts_the_engine(world: World) -> None:
    patient = HEALTH | {"failureThreshold": 60}
    world.put(container=ENGINE | {"startupProbe": patient, "livenessProbe": HEALTH})
    await until(world.ready)
    sick = world.process()
    await world.tell(mode="refuse", health=True)
    await until(lambda: world.engine().restart_count == 1 and world.ready())
    assert not procfs.alive(sick)
    ended = world.engine().last_state.terminated
    assert ended
    assert ended.message == ("Liveness probe failed: HTTP probe failed with statuscode: 503")


async def test_who_is_not_ready_is_not_restarted_and_may_recover(world: World) -> None:
    world.put()
    await until(world.ready)
    await world.tell(mode="refuse", health=True)
    await until(lambda: not world.ready())
    assert world.engine().state.running
    await world.tell(mode="ok")
    await until(world.ready)
    assert world.engine().restart_count == 0


async def test_what_shall_not_restart_has_failed(world: World) -> None:
    world.put(spec={"restartPolicy": "Never"})
    await until(world.ready)
    await kill(world)
    await until(lambda: world.live().status.phase == "Failed")
    ended = world.engine().state.terminated
    assert ended
    assert (ended.exit_code, world.engine().restart_count, world.ready()) == (137, 0, False)


async def test_the_exit_of_an_engine_is_reported_with_its_last_words(world: World) -> None:
    world.put(spec={"restartPolicy": "Never"})
    await until(world.ready)
    await world.tell(mode="exit", health=True)
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"{world.url()}/health")
    await until(lambda: world.live().status.phase == "Failed")
    ended = world.engine().state.terminated
    assert ended
    assert ended.exit_code == 1
    assert "told to exit" in str(ended.message)


def delete(world: World, grace: float) -> None:
    """Delete as the server does: the object stays until the node lets it go."""
    at = world.now() + timedelta(seconds=grace)
    deletion = {"deletionTimestamp": at.isoformat(), "deletionGracePeriodSeconds": int(grace)}
    world.put(metadata=deletion | HELD)


async def test_a_deleted_pod_s_process_is_asked_to_end_and_then_the_object_goes(
    world: World,
) -> None:
    world.put(metadata=HELD)
    await until(world.ready)
    process, home = world.process(), world.settings.folder / world.live().metadata.uid
    delete(world, 30)
    await until(lambda: world.live().status.phase == "Succeeded")
    assert not procfs.alive(process)
    assert "ending" in world.log()
    ended = world.engine().state.terminated
    assert ended
    assert ended.exit_code == 0
    await world.client.dynamic.json_patch(
        world.runner.pods.resource, KEY, [{"op": "remove", "path": "/metadata/finalizers"}]
    )
    await until(lambda: not home.exists())
    assert world.pod() is None
    assert world.runner.hands.records.addresses == frozenset()


async def test_what_does_not_end_when_asked_is_ended_after_its_grace_period(world: World) -> None:
    world.put(container=STUBBORN, metadata=HELD)
    await until(lambda: world.engine().state.running is not None and "up" in world.log())
    process = world.process()
    delete(world, 30)
    await until(lambda: "told" in world.log())
    assert procfs.alive(process)
    world.later(31)
    await until(lambda: world.live().status.phase == "Failed")
    assert not procfs.alive(process)
    ended = world.engine().state.terminated
    assert ended
    assert (ended.exit_code, ended.message) == (137, "its pod is deleted")


async def test_a_namesake_of_a_deleted_pod_is_another_pod(world: World) -> None:
    world.put(metadata={"uid": "old"})
    await until(world.ready)
    old = world.process()
    await world.client.delete(world.live())
    world.put(metadata={"uid": "new"})
    await until(lambda: not procfs.alive(old) and world.ready())
    assert [record.uid for record in world.runner.hands.records] == ["new"]
    assert world.engine().restart_count == 0


async def test_a_runner_that_starts_again_takes_up_what_runs(world: World) -> None:
    world.put()
    await until(world.ready)
    process, before = world.process(), len(world.history)
    await world.runner.stop()
    assert procfs.alive(process)
    await world.start()
    await until(lambda: world.runner.hands.prober.health(process).ready)
    assert world.process() == process
    assert all(ready(one) for one in world.history[before:])
    await kill(world)
    await until(lambda: world.engine().restart_count == 1 and world.ready())


async def test_what_ended_while_no_runner_was_there_is_restarted_by_the_next(
    world: World,
) -> None:
    world.put()
    await until(world.ready)
    await world.runner.stop()
    await kill(world)
    await world.start()
    await until(lambda: world.engine().restart_count == 1 and world.ready())
    ended = world.engine().last_state.terminated
    assert ended
    assert (ended.exit_code, ended.message) == (137, "found gone")


async def test_a_pod_that_went_while_no_runner_was_there_leaves_nothing(world: World) -> None:
    world.put()
    await until(world.ready)
    process, home = world.process(), world.settings.folder / world.live().metadata.uid
    assert home.exists()
    await world.runner.stop()
    await world.client.delete(world.live())
    await world.start()
    await until(lambda: not procfs.alive(process) and not home.exists())


async def test_logs_are_read_where_kwok_is_told_they_are(world: World) -> None:
    world.put()
    await until(world.ready)
    lines = world.log().splitlines()
    assert lines[0].endswith(f"run 0 of {KEY} on {world.live().status.pod_ip}")
    assert any("stdout F INFO listening on http://" in line for line in lines)
    assert world.log(previous=True) == ""
    (forward,) = world.client.all(PortForward)
    (one,) = forward.spec.forwards
    assert (one.ports, one.target.port) == ((PORT,), PORT)
    assert one.target.address == world.live().status.pod_ip
    await kill(world)
    await until(lambda: world.engine().restart_count == 1 and world.ready())
    assert world.log().splitlines()[0].split()[4:6] == ["1", "of"]
    assert world.log(previous=True).splitlines() == lines


async def test_init_containers_are_passed_over_with_a_line_that_names_them(world: World) -> None:
    world.put(spec={"initContainers": [{"name": "puller-sql", "image": "puller:v1"}]})
    await until(world.ready)
    told = world.log().splitlines()[1]
    assert told.endswith("init containers are not run here: puller-sql")


@pytest.mark.parametrize(
    ("container", "reason", "message"),
    [
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            "CreateContainerConfigError",
            'secret "default/s" not found',
        ),
        ({"command": ["/no/such/program"]}, "RunContainerError", "/no/such/program"),
    ],
)
async def test_what_cannot_be_started_says_why(
    world: World, container: dict[str, Any], reason: str, message: str
) -> None:
    world.put(container=ENGINE | container)
    await until(lambda: world.waits() == reason)
    waiting = world.engine().state.waiting
    assert waiting
    assert message in str(waiting.message)
    assert world.live().status.phase == "Pending"


async def test_a_container_starts_once_it_has_what_it_lacked(world: World) -> None:
    source = {"secretKeyRef": {"name": "s", "key": "k"}}
    world.put(container=ENGINE | {"env": [{"name": "A", "valueFrom": source}]})
    await until(lambda: world.waits() == "CreateContainerConfigError")
    metadata = {"name": "s", "namespace": KEY.namespace}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"k": "dg=="}}
    world.client.put(secret)
    world.later(6)
    await until(world.ready)
    assert world.engine().restart_count == 0


async def test_everything_that_a_process_started_ends_with_it(world: World) -> None:
    script = "sleep 1000 & echo child $!; wait"
    world.put(container={"command": ["/bin/sh", "-c", script]}, spec={"restartPolicy": "Never"})
    await until(lambda: world.engine().state.running is not None and "child" in world.log())
    child = int(world.log().rpartition("child ")[2].split()[0])
    assert procfs.find(child)
    await kill(world)
    await until(lambda: world.live().status.phase == "Failed")
    await until(lambda: procfs.find(child) is None)

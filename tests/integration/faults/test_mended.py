"""What was changed by hand is put back, and a token that expired is named with the way out."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from fleet.api.core import ConfigMap, StatefulSet
from fleet.api.names import member_namespace
from fleet.api.work import Work
from fleet.runtime import clock
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.faults.outcome import Outcome
from tests.integration.faults.scene import MEMBER, Scene, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_work_edited_by_hand_is_what_it_was(fleet: Scene, undisturbed: Outcome) -> None:
    run = "run-edited"
    fleet.listen_no_more()
    await fleet.deploy(run)
    await fleet.ends_as(run, undisturbed)
    works = await fleet.hub_client.list(Work, member_namespace(MEMBER))
    (work,) = [each for each in works.objects() if run in each.name]
    somebody = fleet.hub_client.as_manager("somebody")
    await somebody.json_patch(
        work, [{"op": "replace", "path": "/spec/workload/manifests/0/spec/replicas", "value": 3}]
    )
    await fleet.ends_as(run, undisturbed)


async def test_an_engine_deleted_by_hand_is_made_again(fleet: Scene, undisturbed: Outcome) -> None:
    run = "run-deleted"
    fleet.listen_no_more()
    await fleet.deploy(run)
    await fleet.ends_as(run, undisturbed)
    engines = await fleet.member_client.list(StatefulSet, run)
    (engine,) = engines.objects()
    await fleet.member_client.delete(engine)
    await fleet.ends_as(run, undisturbed)


async def test_an_engine_edited_by_hand_is_what_it_was(fleet: Scene, undisturbed: Outcome) -> None:
    run = "run-another-image"
    fleet.listen_no_more()
    await fleet.deploy(run)
    await fleet.ends_as(run, undisturbed, seconds=60)
    engines = await fleet.member_client.list(StatefulSet, run)
    (engine,) = engines.objects()
    somebody = fleet.member_client.as_manager("somebody")
    image = "/spec/template/spec/containers/0/image"
    await somebody.json_patch(engine, [{"op": "replace", "path": image, "value": "another"}])
    await fleet.ends_as(run, undisturbed, seconds=60)
    left = await fleet.member_client.get(StatefulSet, engine.key)
    assert left
    assert left.metadata.generation == engine.metadata.generation + 2


async def test_a_placed_object_edited_by_hand_is_what_it_was(fleet: Scene) -> None:
    run = "run-config"
    fleet.listen_no_more()
    await fleet.place(run, failover_seconds=30)
    await until(lambda: fleet.has(run))
    (made,) = (await fleet.member_client.list(ConfigMap, run)).objects()
    somebody = fleet.member_client.as_manager("somebody")
    await somebody.json_patch(made, [{"op": "replace", "path": "/data/a", "value": "c"}])

    async def put_back() -> bool:
        found = await fleet.member_client.get(ConfigMap, made.key)
        return found is not None and found.data == {"a": "b"}

    await until(put_back)


async def test_a_token_that_has_expired_is_named_with_the_way_out(
    fleet: Scene, stage: Stage, undisturbed: Outcome
) -> None:
    run, file = "run-expired", stage.home / "token"
    good = file.read_text(encoding="utf-8")
    fleet.listen_no_more()
    await fleet.agent.kill()
    file.write_text(_expired(stage.hub), encoding="utf-8")
    before = fleet.agent.said("the token for the hub expired at")
    try:
        await fleet.agent.launch()
        await fleet.deploy(run)
        await until(lambda: fleet.agent.said("the token for the hub expired at") > before)
        assert fleet.agent.said("modelfleet join us --renew")
        assert not fleet.agent.said(file.read_text(encoding="utf-8"))
    finally:
        file.write_text(good, encoding="utf-8")
    await fleet.ends_as(run, undisturbed)


async def test_a_token_that_is_none_is_named_while_an_agent_runs(
    fleet: Scene, stage: Stage, undisturbed: Outcome
) -> None:
    run, file, words = (
        "run-nonsense",
        stage.home / "token",
        "is it of this cluster, and not expired?",
    )
    good = file.read_text(encoding="utf-8")
    fleet.listen_no_more()
    before = fleet.agent.said(words)
    file.write_text("nonsense", encoding="utf-8")
    try:
        await fleet.deploy(run)
        await until(lambda: fleet.agent.said(words) > before)
    finally:
        file.write_text(good, encoding="utf-8")
    await fleet.ends_as(run, undisturbed, seconds=60)


def _expired(server: ApiServer) -> str:
    """Sign a token as the server does, that was good until five minutes ago."""
    end = clock.now() - timedelta(minutes=5)
    issuer = "https://kubernetes.default.svc"
    claims = {
        "iss": issuer,
        "aud": [issuer],
        "sub": f"system:serviceaccount:{member_namespace(MEMBER)}:member-agent",
        "iat": int((end - timedelta(hours=1)).timestamp()),
        "exp": int(end.timestamp()),
    }
    parts = [_part(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims)]
    pem = (server.home / "certs" / "apiserver.key").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signed = ".".join(parts)
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_part(signature)}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

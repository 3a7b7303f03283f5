"""`modelfleet join` against a real hub: what it makes, prints and installs, and its agent."""

import asyncio
import json
import os
from pathlib import Path

import yaml

from cli.charts import charts_folder
from cli.local.execute import execute
from cli.programs import program
from fleet.api.core import ConfigMap
from fleet.api.objects import Key
from fleet.kube.tokens import life_of
from fleet.testing.waiting import until
from tests.integration.membership.cluster import SECRET, SYSTEM, Cluster

CHART = {"apiVersion": "v2", "name": "stands-for-ours", "version": "0.1.0"}
TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: {{{{ .Release.Name }}}}-{name}}}
data: {{given: {{{{ toJson .Values | quote }}}}}}
"""


def charts(folder: Path, name: str) -> Path:
    """Write charts that note the values they are given."""
    for chart in ("crds", "member-agent"):
        (folder / chart / "templates").mkdir(parents=True)
        (folder / chart / "Chart.yaml").write_text(yaml.safe_dump(CHART), encoding="utf-8")
        template = folder / chart / "templates" / "note.yaml"
        template.write_text(TEMPLATE.format(name=name), encoding="utf-8")
    return folder


async def test_what_is_put_into_files_lets_an_agent_join(cluster: Cluster) -> None:
    folder = cluster.home / "out"
    said = await cluster.join(
        "--region", "centralus", "-l", "tier=prod", "--output-dir", f"{folder}"
    )
    assert said.exit_code == 0, said.stderr
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == dict.fromkeys(
        ["token", "hub-ca.crt", "hub-token.yaml", "values.yaml"], 0o600
    )
    token = (folder / "token").read_text()
    assert token not in said.output
    assert "--hub-url" in said.stderr
    cluster.hold(token)
    await cluster.start_agent()
    await cluster.joined()
    member = await cluster.member()
    assert member
    assert member.region == "centralus"
    assert member.metadata.labels["tier"] == "prod"
    again = await cluster.join("-l", "tier=test")
    assert "is on the hub already: joined, last heard of at" in again.stderr
    member = await cluster.member()
    assert member
    assert member.region == "centralus"
    assert member.metadata.labels["tier"] == "test"


async def test_a_new_token_is_printed_for_a_member_that_is_there_and_for_no_other(
    cluster: Cluster,
) -> None:
    missing = await cluster.run("join", "--renew")
    assert missing.exit_code == 1
    assert f"there is no member {cluster.name} on the hub" in missing.stderr
    await cluster.join()
    document = await cluster.document("--renew")
    life = life_of(document["token"]["value"])
    assert life
    assert life.account == Key(document["namespace"], "member-agent")
    assert life.seconds == 24 * 3600


async def test_both_sides_are_done_with_the_member_s_kubeconfig_and_renewed(
    cluster: Cluster,
) -> None:
    ours = charts(cluster.home / "charts", cluster.name)
    both = ("--kubeconfig", str(cluster.config))
    joining = asyncio.create_task(
        cluster.join(*both, "--charts", f"{ours}", "--hub-url", cluster.server.url, "-o", "json")
    )
    await until(lambda: _noted(cluster, "modelfleet-member-agent"))
    await cluster.start_agent()
    said = await joining
    assert said.exit_code == 0, said.stderr
    assert json.loads(said.stdout)["joined"] is True
    assert await _noted(cluster, "modelfleet-crds") == "{}"
    given = json.loads(await _noted(cluster, "modelfleet-member-agent"))
    hub = {"url": cluster.server.url, "ca": cluster.authority}
    assert given == {"cluster": cluster.name, "hub": hub}
    first = await cluster.secret()
    assert first not in said.output
    renewed = await cluster.join(*both, "--renew")
    assert renewed.exit_code == 0, renewed.stderr
    assert await cluster.secret() not in ("", first)
    await until(lambda: cluster.agent.said("another token for the hub was found"), seconds=60)


async def test_the_charts_take_what_an_agent_is_told(cluster: Cluster) -> None:
    address = ("--hub-url", "https://hub.example.com:6443")
    document = await cluster.document(*address)
    helm, charts = program("helm", os.environ), str(charts_folder())
    drawn = b""
    for (_, *words), values in zip(document["helm"], ({}, document["values"]), strict=True):
        release, chart, *_ = words[2:]
        assert chart.startswith(charts)
        given = json.dumps(values).encode()
        drawn = await execute(
            [helm, "template", release, chart, "-f", "-"], stdin=given, deadline=60
        )
        assert drawn
    assert cluster.name.encode() in drawn
    assert b"https://hub.example.com:6443" in drawn
    assert str(SECRET.name).encode() in drawn


async def _noted(cluster: Cluster, release: str) -> str:
    found = await cluster.client.get(ConfigMap, Key(SYSTEM, f"{release}-{cluster.name}"))
    return found.data["given"] if found else ""


async def test_a_hub_does_not_join_itself(cluster: Cluster) -> None:
    said = await cluster.join("--kubeconfig", str(cluster.hub_config))
    assert said.exit_code == 1
    assert "leads to the hub itself" in said.stderr

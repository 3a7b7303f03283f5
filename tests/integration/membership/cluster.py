"""A cluster that joins a fleet: its admin's command line, its kubeconfig, its agent."""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli.__main__ import build
from fleet.api.cluster import MemberCluster
from fleet.api.core import ConfigMap, Namespace, Secret
from fleet.api.names import digest, member_namespace
from fleet.api.objects import Key, Metadata
from fleet.api.work import AppliedWork, Work, WorkSpec
from fleet.kube.client import ApiClient
from fleet.testing.apiserver import ApiServer
from fleet.testing.waiting import until
from tests.integration.cli.conftest import written
from tests.integration.process import ProgramProcess

SYSTEM = "modelfleet-system"
SECRET = Key(SYSTEM, "modelfleet-hub-token")


class Cluster:
    def __init__(self, client: ApiClient, server: ApiServer, port: int, home: Path) -> None:
        """Be reached at a port of its own: a hub does not join itself."""
        self.client, self.server, self.home = client, server, home
        self.name = f"us-{digest(str(home))}"
        trust = {"certificate-authority": server.ca_file}
        for side in ("hub", "member"):
            (home / side).mkdir()
        self.hub_config = written(home / "hub", {"server": server.url, **trust})
        self.config = written(home / "member", {"server": f"https://127.0.0.1:{port}", **trust})
        self.token = home / "token"
        self.agent = ProgramProcess("member_agent", home / "agent.log", self.environ())

    def environ(self) -> Mapping[str, str]:
        return {
            "KUBECONFIG": str(self.config),
            "MEMBER_AGENT_CLUSTER": self.name,
            "MEMBER_AGENT_HUB_URL": self.server.url,
            "MEMBER_AGENT_HUB_CA_FILE": self.server.ca_file,
            "MEMBER_AGENT_HUB_TOKEN_FILE": str(self.token),
            "MEMBER_AGENT_HUB_TOKEN_SECRET": str(SECRET),
            "MEMBER_AGENT_LOG_LEVEL": "INFO",
        }

    async def run(self, verb: str, *words: str) -> Result:
        line = [verb, self.name, "--hub-kubeconfig", str(self.hub_config), *words]
        return await asyncio.to_thread(CliRunner().invoke, build(line), line)

    async def join(self, *words: str) -> Result:
        """Join as a cluster that reports every second."""
        return await self.run("join", "--heartbeat", "1", "--timeout", "40", *words)

    async def document(self, *words: str) -> dict[str, Any]:
        result = await self.run("join", "-o", "json", *words)
        assert result.exit_code == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    async def start_agent(self) -> None:
        await self.agent.start()

    def hold(self, token: str) -> None:
        self.token.write_text(token, encoding="utf-8")

    @property
    def authority(self) -> str:
        return Path(self.server.ca_file).read_text(encoding="utf-8")

    async def secret(self) -> str:
        """Give the token that the member's Secret holds."""
        found = await self.client.get(Secret, SECRET)
        return base64.b64decode(found.data["token"]).decode() if found else ""

    async def member(self) -> MemberCluster | None:
        return await self.client.get(MemberCluster, Key("", self.name))

    async def joined(self) -> None:
        await until(self._reports, seconds=60)

    async def _reports(self) -> bool:
        found = await self.member()
        return found is not None and found.joined

    @property
    def place(self) -> Key:
        """The member's own on the hub."""
        return Key(member_namespace(self.name), self.name)

    async def work(self, size: str) -> None:
        """Have the fleet keep a ConfigMap there, and wait until it does."""
        metadata = {"name": self.name, "namespace": "default"}
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        manifests = [config | {"data": {"size": size}}]
        spec = WorkSpec.model_validate({"workload": {"manifests": manifests}})
        named = Metadata(name=self.name, namespace=self.place.namespace)
        await self.client.apply(Work(metadata=named, spec=spec), force=True)
        await until(lambda: self._keeps(size), seconds=60)

    async def _keeps(self, size: str) -> bool:
        found = await self.kept()
        return found is not None and found.data == {"size": size}

    async def kept(self) -> ConfigMap | None:
        return await self.client.get(ConfigMap, Key("default", self.name))

    async def record(self) -> AppliedWork | None:
        return await self.client.get(AppliedWork, Key("", self.name))

    async def namespace(self) -> Namespace | None:
        return await self.client.get(Namespace, Key("", self.place.namespace))

    async def enter(self) -> None:
        """Join, and give the agent its token."""
        folder = self.home / "out"
        said = await self.join("--output-dir", str(folder))
        assert said.exit_code == 0, said.stderr
        self.hold((folder / "token").read_text(encoding="utf-8"))

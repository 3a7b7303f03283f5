"""A real API server with our kinds and the accounts that our charts make."""

from fleet.testing.fixtures import client, server
from tests.integration.hub.conftest import hub, hub_token, kubeconfig
from tests.integration.member_agent.conftest import account_token, agent, environ

__all__ = [
    "account_token",
    "agent",
    "client",
    "environ",
    "hub",
    "hub_token",
    "kubeconfig",
    "server",
]

"""A real API server with our kinds and the accounts that our charts make."""

from fleet.testing.fixtures import client, kinds, server
from tests.integration.hub.conftest import hub_token

__all__ = ["client", "hub_token", "kinds", "server"]

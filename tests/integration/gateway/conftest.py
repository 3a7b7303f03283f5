"""A real API server with our kinds."""

from fleet.testing.fixtures import client, kinds, server

__all__ = ["client", "kinds", "server"]

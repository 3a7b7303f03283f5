"""A real API server with our kinds."""

from fleet.testing.fixtures import client, server

__all__ = ["client", "server"]

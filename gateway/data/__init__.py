"""The data plane: asyncio protocols that carry out what `gateway.policy` decides."""

"""Writes go out at once, and not when the loop has read from all others that sent something."""

import asyncio


def at_once(transport: asyncio.Transport) -> asyncio.Transport:
    """Have a transport hold nothing back; TLS gathers what it encrypts in a way of its own."""
    if transport.get_extra_info("sslcontext") is None:
        transport.set_write_buffer_limits(high=0)
    return transport

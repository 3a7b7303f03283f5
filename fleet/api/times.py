"""Moments as the Kubernetes API writes them, for annotations and other text."""

from datetime import datetime


def stamp(moment: datetime) -> str:
    """Write a moment of UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

"""The charts that come with this command."""

from pathlib import Path
from typing import Final

NAMESPACE: Final = "modelfleet-system"
"""Where our programs are, on the hub and on members."""


def charts_folder() -> Path:
    """Return the copy in the installed package, or `charts` of the repository."""
    installed = Path(__file__).parent / "charts"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "charts"

"""The examples that the demo applies."""

from pathlib import Path

_EXAMPLES = (Path(__file__).parents[2] / "examples", Path(__file__).parents[1] / "examples")


def example(name: str) -> str:
    """Find an example, in the repository or in the installed package."""
    found = next(folder / name for folder in _EXAMPLES if (folder / name).is_file())
    here = Path.cwd()
    return str(found.relative_to(here) if found.is_relative_to(here) else found)

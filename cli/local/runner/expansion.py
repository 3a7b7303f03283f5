"""`$(NAME)` in commands and values, and paths of mounted volumes in them. Pure."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_BEFORE, _AFTER = r"(?<![\w./-])", r"(?=/|$|[^\w.-])"


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Put in the values of variables; what is not defined stays, and `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else variables.get(name, match.group(0))

    return _REFERENCE.sub(value, text)


def relocate(text: str, places: Mapping[str, str]) -> str:
    """Put for each mount path the folder that stands for it, where the text names it as a path."""
    for path in sorted(places, key=len, reverse=True):
        folder = places[path].replace("\\", r"\\")
        text = re.sub(f"{_BEFORE}{re.escape(path)}{_AFTER}", folder, text)
    return text

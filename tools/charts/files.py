"""The generated files of the charts, with their texts."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tools.charts.schemas import SCHEMAS, document
from tools.charts.table import with_table

PROGRAMS: Final = ("hub", "member-agent", "gateway")
_SHARED: Final = Path(__file__).parent / "shared.tpl"
_NOTE: Final = "{{- /* Generated from tools/charts/shared.tpl by `make generate`. */ -}}\n"
_KEEP: Final = "metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n"


def generated(charts: Path, crds: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield every generated file below `charts`; `crds` are the definitions by file name."""
    for program in PROGRAMS:
        shared = charts / program / "templates" / "_shared.tpl"
        yield shared, _NOTE + _SHARED.read_text(encoding="utf-8")
    for chart in SCHEMAS:
        yield charts / chart / "values.schema.json", json.dumps(document(chart), indent=2) + "\n"
        readme, values = charts / chart / "README.md", charts / chart / "values.yaml"
        if values.exists():
            yield readme, with_table(*(f.read_text(encoding="utf-8") for f in (readme, values)))
    for name, text in crds.items():
        yield charts / "crds" / "templates" / name, template(text)


def template(definition: str) -> str:
    """Write a definition as Helm's template: kept when the release goes, and taken literally."""
    escaped = definition.replace("{{", '{{ "{{" }}')
    kept, count = re.subn(r"^metadata:\n", _KEEP, escaped, flags=re.MULTILINE)
    if count != 1 or "\n  annotations:\n" in definition:
        raise ValueError("not one definition without annotations")
    return kept

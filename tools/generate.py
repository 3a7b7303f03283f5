"""Writes the generated files anew, or checks that they are what the sources say."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml
from typing_extensions import override

from cli.__main__ import build
from fleet.api.crd.definition import Presets, definition
from fleet.api.crd.kinds import KINDS
from fleet.catalog.catalogue import load
from tools import commands_reference, reference, settings_reference
from tools.charts import files as charts

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
PROGRAMS = {
    "hub": ("HUB_", ROOT / "hub" / "settings.py"),
    "member_agent": ("MEMBER_AGENT_", ROOT / "member_agent" / "settings.py"),
    "gateway": ("GATEWAY_", ROOT / "gateway" / "settings.py"),
}
_OWN = ("crds/*.yaml", "charts/crds/templates/*.yaml", "docs/reference/*.md")
"""Where every file is generated."""
_HEADER = "# Generated from fleet/api by `make generate`: change the models, not this file.\n"


def generated() -> Iterator[tuple[Path, str]]:
    """Yield every generated file with its text."""
    crds = {_file_name(crd): crd for crd in definitions()}
    texts = {name: _HEADER + _yaml(crd) for name, crd in crds.items()}
    for name, text in texts.items():
        yield ROOT / "crds" / name, text
    yield from charts.generated(ROOT / "charts", texts)
    for name, text in reference.pages(list(crds.values())):
        yield REFERENCE / name, text
    yield REFERENCE / settings_reference.NAME, settings_reference.page(PROGRAMS)
    commands = typer.main.get_command(build([]))
    yield REFERENCE / commands_reference.NAME, commands_reference.page(commands)


def definitions() -> Iterator[dict[str, Any]]:
    """Yield the CRDs."""
    catalogue = load()
    presets = Presets(known=tuple(sorted(catalogue.presets)), shown=catalogue.preset_names)
    yield from (definition(kind, presets) for kind in KINDS)


def _file_name(crd: dict[str, Any]) -> str:
    spec = crd["spec"]
    return f"{spec['group']}_{spec['names']['plural']}.yaml"


def _yaml(manifest: dict[str, Any]) -> str:
    text: str = yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    return text


class _Dumper(yaml.CSafeDumper):
    @override
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def main() -> int:
    """Exit with 1 where `--check` found a file that is not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, name what differs")
    check = parser.parse_args().check
    files = dict(generated())
    there = {path for pattern in _OWN for path in ROOT.glob(pattern)}
    stale = sorted(there - files.keys())
    changed = [path for path, text in files.items() if _read(path) != text]
    for path in [*changed, *stale]:
        sys.stdout.write(f"{path.relative_to(ROOT)}{' differs' if check else ''}\n")
    if not check:
        _write(changed, files, stale)
    return int(check and bool(changed or stale))


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _write(changed: list[Path], files: dict[Path, str], stale: list[Path]) -> None:
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    for path in stale:
        path.unlink()


if __name__ == "__main__":
    sys.exit(main())

"""Puts mermaid into the site, so that its pictures are drawn without the internet.

`make docs` fetches it where npm is there; without it a reader's browser does.
"""

from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

MERMAID: Final = Path(__file__).parents[1] / ".local" / "mermaid" / "package/dist/mermaid.min.js"
URL: Final = "assets/mermaid.min.js"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    if MERMAID.exists():
        config.extra_javascript.append(URL)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    if MERMAID.exists():
        files.append(File.generated(config, URL, abs_src_path=str(MERMAID)))
    return files

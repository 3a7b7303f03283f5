"""The page of settings says what the source of a Settings class says."""

from pathlib import Path

from tools.settings_reference import page, settings

SOURCE = '''
class Other:
    left_out: int = 1

class Settings:
    """Of a program."""
    workers: int = CORES
    """One | a core,
    and no more."""
    scope: Scope = Scope.GLOBAL
    size: int = 2 * 1024
    """Bytes."""
    name: str = ""

    @property
    def twice(self) -> int: ...
'''


def test_every_field_is_a_row_with_its_default_and_what_is_written_beneath() -> None:
    assert [setting.row() for setting in settings("HUB_", SOURCE)] == [
        "| `HUB_WORKERS` | `cores` | One \\| a core, and no more. |",
        "| `HUB_SCOPE` | `global` |  |",
        "| `HUB_SIZE` | `2 * 1024` | Bytes. |",
        "| `HUB_NAME` |  |  |",
    ]


def test_each_program_has_a_section(tmp_path: Path) -> None:
    module = tmp_path / "settings.py"
    module.write_text(SOURCE)
    text = page({"hub": ("HUB_", module), "agent": ("AGENT_", module)})
    assert text.index("## hub") < text.index("HUB_NAME") < text.index("## agent")
    assert "`AGENT_SIZE`" in text

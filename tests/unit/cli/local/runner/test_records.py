"""What runs is remembered on disk."""

from pathlib import Path

from cli.local.runner.output import note, tail
from cli.local.runner.records import Records
from tests.unit.cli.local.runner.builders import NOON, record, run


def test_a_later_runner_finds_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    Records(tmp_path).put(record(run(2, stops=5), before=run(1, code=1), crashes=2))
    found = Records(tmp_path)
    assert found.get("u1") == record(run(2, stops=5), before=run(1, code=1), crashes=2)
    assert found.of(record().key) == tuple(found)
    assert found.addresses == {"127.1.0.1"}


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "u2").mkdir()
    (tmp_path / "u2" / "record.json").write_text("{")
    assert tuple(Records(tmp_path)) == ()


def test_nothing_is_left_of_a_pod_that_is_dropped(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.put(record())
    records.drop("u1")
    assert (tuple(records), list(tmp_path.iterdir())) == ((), [])


def test_the_end_of_an_output_is_told_without_its_form(tmp_path: Path) -> None:
    file = tmp_path / "run-0.log"
    assert tail(file) == ""
    note(file, "run 0", NOON)
    assert file.read_text() == "2026-01-01T12:00:00.0Z stderr F run 0\n"
    with file.open("a") as output:
        output.write("a shell's own words\n" * 9)
        output.write("2026-01-01T12:00:01.0Z stdout F ERROR no model: name it\n")
    assert tail(file).splitlines() == ["a shell's own words"] * 4 + ["ERROR no model: name it"]

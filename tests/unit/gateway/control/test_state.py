"""The last routes outlive the hub, and a broken file is survived."""

import logging
from pathlib import Path

import pytest

from gateway.control.state import load, save
from tests.unit.gateway.places import place, service, table

ROUTES = table(
    service(
        "demo/phi",
        place("demo/eu", ready=True, region="eu", probe="http://eu/-/load", fleet=True),
        place("demo/us", ready=False, model="other"),
        place("demo/apac"),
        models=("phi", "demo/phi"),
        created=7,
        listed=2,
    )
)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "routes.json"
    save(path, table())
    save(path, ROUTES)
    assert load(path) == ROUTES
    assert [found.name for found in path.parent.iterdir()] == ["routes.json"]


def test_the_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    save(path, ROUTES)
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_nothing_was_saved_there_is_nothing_and_nothing_to_say(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(tmp_path / "routes.json") is None
    assert caplog.records == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"services": 3}',
        b'{"services": [{"name": "demo/phi"}]}',
        b'{"services": [{"name": "\xff", "models": []}]}',
        b'{"services": [], "more": ' + b"[" * 100_000,
        b"\x00" * 4096,
    ],
)
def test_a_broken_file_is_survived_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    path = tmp_path / "routes.json"
    path.write_bytes(text)
    with caplog.at_level(logging.WARNING):
        assert load(path) is None
    assert [vars(record)["file"] for record in caplog.records] == [str(path)]
    save(path, ROUTES)
    assert load(path) == ROUTES


def test_a_later_versions_fields_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    path.write_bytes(
        b'{"services": [{"name": "demo/phi", "models": ["phi"], "novelty": 1}], "v": 2}'
    )
    assert load(path) == table(service("demo/phi"))


def test_a_folder_is_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(tmp_path) is None
    assert len(caplog.records) == 1


def test_a_place_that_cannot_be_written_keeps_nobody_from_routing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    path = tmp_path / "file" / "routes.json"
    with caplog.at_level(logging.WARNING):
        save(path, ROUTES)
    assert [vars(record)["file"] for record in caplog.records] == [str(path)]


def test_a_save_that_fails_leaves_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    save(path, ROUTES)
    (tmp_path / "routes.json.new").mkdir()
    save(path, table())
    assert load(path) == ROUTES

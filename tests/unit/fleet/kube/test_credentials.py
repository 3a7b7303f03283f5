"""Credentials are read again when they change, and never shown."""

import os
from pathlib import Path

import pytest

from fleet.kube.credentials import Token, TokenFile


def write(path: Path, token: str) -> None:
    """Put a new file in the place of the old one, as a kubelet does."""
    new = path.with_suffix(".new")
    new.write_text(token, encoding="utf-8")
    new.replace(path)


def test_a_token_that_never_changes_is_the_header() -> None:
    assert (Token("abc").header(), Token().header()) == ("Bearer abc", "")
    kept = Token("abc")
    kept.renew()
    assert kept.header() == "Bearer abc"


def test_a_token_file_is_read_again_when_somebody_renews_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write(path, "first\n")
    token = TokenFile(path)
    assert token.header() == "Bearer first"
    write(path, "other\n")
    assert token.header() == "Bearer other"


def test_a_token_written_in_place_at_the_same_time_is_read_when_the_server_refuses_the_old_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "token"
    write(path, "first")
    token, stat = TokenFile(path), path.stat()
    assert token.header() == "Bearer first"
    path.write_text("other", encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert token.header() == "Bearer first"
    token.renew()
    assert token.header() == "Bearer other"


def test_a_file_that_is_gone_or_empty_leaves_the_last_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = TokenFile(path)
    assert token.header() == ""
    token.renew()
    assert token.header() == ""
    write(path, "first")
    assert token.header() == "Bearer first"
    write(path, "")
    assert token.header() == "Bearer first"
    path.unlink()
    assert token.header() == "Bearer first"
    write(path, "other")
    assert token.header() == "Bearer other"


def test_a_token_behind_a_link_that_is_moved_is_read_again(tmp_path: Path) -> None:
    """A kubelet swaps the folder behind a link."""
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "token").write_text(f"token{number}", encoding="utf-8")
    link, new = tmp_path / "data", tmp_path / "data.new"
    link.symlink_to(tmp_path / "1")
    token = TokenFile(link / "token")
    assert token.header() == "Bearer token1"
    new.symlink_to(tmp_path / "2")
    new.replace(link)
    assert token.header() == "Bearer token2"


def test_a_token_is_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    write(path, "hunter2")
    token = TokenFile(path)
    assert token.header() == "Bearer hunter2"
    for shown in (repr(token), str(token), repr(Token("hunter2")), f"{Token('hunter2')}"):
        assert "hunter2" not in shown
    assert str(path) in repr(token)


@pytest.mark.parametrize(
    "content", [b"two\nlines", b"two words", "t\u00f6ken".encode(), b"\xff", b""]
)
def test_a_file_that_holds_no_token_leaves_the_last_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"good")
    file = TokenFile(path)
    assert file.header() == "Bearer good"
    path.write_bytes(content)
    assert file.header() == "Bearer good"

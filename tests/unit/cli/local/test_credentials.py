"""Keys and tokens of a fleet."""

import hashlib
import stat
from pathlib import Path

from cli.local.credentials import Credentials
from cli.local.gateway import Gateway


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "secrets")
    credentials.create()
    assert stat.S_IMODE(credentials.folder.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(file.stat().st_mode) for file in credentials.folder.iterdir()}
    assert modes == {0o600}


def test_the_gateway_gets_the_hash_of_the_key_and_not_the_key(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.create()
    key = credentials.client_key.read_text()
    assert credentials.client_keys.read_text().split() == [hashlib.sha256(key.encode()).hexdigest()]


def test_made_again_the_keys_stay(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.create()
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    credentials.create()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_a_key_is_not_shown_where_the_gateway_is() -> None:
    assert "mf-secret" not in repr(Gateway("http://127.0.0.1:18080/v1", "mf-secret"))

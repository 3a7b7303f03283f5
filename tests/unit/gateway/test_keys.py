"""Keys are known by their digests, files are read again, and no secret is ever shown."""

import logging
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.keys import Credentials, KeyFiles, Keyring, digests_in, secrets_in

SECRET, OTHER = "sk-a-secret", "sk-another"


def digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def write(path: Path, *lines: str) -> None:
    """Replace a file, as a mounted Secret is replaced."""
    new = path.with_suffix(".new")
    new.write_text("\n".join(lines), encoding="utf-8")
    new.replace(path)


@pytest.mark.parametrize(
    ("authorization", "allowed"),
    [
        (b"Bearer sk-a-secret", True),
        (b"bearer   sk-a-secret ", True),
        (b"BEARER sk-another", True),
        (b"Bearer sk-a-secre", False),
        (b"Bearer sk-a-secret2", False),
        (b"Bearer ", False),
        (b"", False),
        (b"sk-a-secret", False),
        (b"Basic sk-a-secret", False),
        (b"Bearer %b" % digest(SECRET), False),
        (b"Bearer %b" % digest(SECRET).hex().encode(), False),
    ],
)
def test_who_brings_a_known_key_is_let_in(authorization: bytes, allowed: bool) -> None:
    keys = Keyring((digest(SECRET), digest(OTHER)))
    assert keys.allows(authorization) is allowed


def test_a_keyring_without_keys_lets_nobody_in_unless_it_is_open() -> None:
    assert not Keyring().allows(b"Bearer sk-a-secret")
    assert Keyring(closed=False).allows(b"")


def test_a_key_file_holds_digests_and_comments() -> None:
    first, second = digest(SECRET), digest(OTHER)
    text = f"# keys\n{first.hex()}  # of a client\n\n  {second.hex().upper()}\n"
    assert digests_in(text) == (first, second)


@pytest.mark.parametrize("line", [SECRET, "abcd", digest(SECRET).hex()[:-2], "z" * 64])
def test_what_is_no_digest_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"hex|length"):
        digests_in(f"{digest(OTHER).hex()}\n{line}\n")


def test_a_credential_file_holds_a_secret_a_line() -> None:
    assert secrets_in(f"{SECRET}\n\n {OTHER} \r\n") == (SECRET, OTHER)


def test_the_first_secret_is_sent_and_none_where_there_is_none() -> None:
    credentials = Credentials()
    credentials.use((SECRET, OTHER))
    assert credentials.line == b"authorization: Bearer sk-a-secret\r\n"
    credentials.use(())
    assert credentials.line == b""


def test_a_global_gateway_keeps_to_its_files(tmp_path: Path) -> None:
    clients, fleet = tmp_path / "clients", tmp_path / "fleet"
    write(clients, digest(SECRET).hex())
    write(fleet, "region-1", "region-0")
    files = KeyFiles(clients=str(clients), fleet=str(fleet), regional=False)
    files.refresh()
    assert files.credentials.accepted.allows(b"Bearer sk-a-secret")
    assert not files.credentials.accepted.allows(b"Bearer region-1")
    assert b"region-1" in files.credentials.line
    write(clients, digest(OTHER).hex())
    write(fleet, "region-2", "region-1")
    files.refresh()
    assert files.credentials.accepted.allows(b"Bearer sk-another")
    assert not files.credentials.accepted.allows(b"Bearer sk-a-secret")
    assert b"region-2" in files.credentials.line


def test_a_regional_gateway_takes_every_secret_of_the_fleet_and_no_client(tmp_path: Path) -> None:
    clients, fleet = tmp_path / "clients", tmp_path / "fleet"
    write(clients, digest(SECRET).hex())
    write(fleet, "region-2", "region-1")
    files = KeyFiles(clients=str(clients), fleet=str(fleet), regional=True)
    files.refresh()
    accepted = files.credentials.accepted
    assert [accepted.allows(b"Bearer region-%d" % number) for number in (2, 1, 0)] == [
        True,
        True,
        False,
    ]
    assert not accepted.allows(b"Bearer sk-a-secret")
    assert files.credentials.line == b""


@pytest.mark.parametrize("regional", [True, False])
def test_a_gateway_without_key_files_is_open(*, regional: bool) -> None:
    files = KeyFiles(clients="", fleet="", regional=regional)
    files.refresh()
    assert files.credentials.accepted.allows(b"")


@pytest.mark.parametrize("regional", [True, False])
def test_a_gateway_whose_key_file_is_not_there_yet_lets_nobody_in(
    tmp_path: Path, *, regional: bool
) -> None:
    path = tmp_path / "later"
    files = KeyFiles(clients=str(path), fleet=str(path), regional=regional)
    files.refresh()
    assert not files.credentials.accepted.allows(b"Bearer sk-a-secret")
    write(path, SECRET if regional else digest(SECRET).hex())
    files.refresh()
    assert files.credentials.accepted.allows(b"Bearer sk-a-secret")


@pytest.mark.parametrize("damage", ["plain", "bytes", "gone"])
def test_a_file_that_cannot_be_read_leaves_the_keys_as_they_were_and_shows_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "clients"
    write(path, digest(SECRET).hex())
    files = KeyFiles(clients=str(path), fleet="", regional=False)
    files.refresh()
    if damage == "plain":
        write(path, OTHER)
    elif damage == "bytes":
        path.with_suffix(".new").write_bytes(b"\xff\xfe")
        path.with_suffix(".new").replace(path)
    else:
        path.unlink()
    with caplog.at_level(logging.DEBUG):
        files.refresh()
    assert files.credentials.accepted.allows(b"Bearer sk-a-secret")
    assert len(caplog.records) == 1
    assert OTHER not in caplog.text


@pytest.mark.parametrize("there", [True, False])
def test_a_file_is_named_in_the_log_once_and_not_at_every_look(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, there: bool
) -> None:
    path = tmp_path / "clients"
    if there:
        write(path, "no digest")
    files = KeyFiles(clients=str(path), fleet="", regional=False)
    for _ in range(3):
        files.refresh()
    assert [vars(record)["file"] for record in caplog.records] == [str(path)]


@pytest.mark.parametrize("regional", [True, False])
def test_no_secret_is_shown_by_what_holds_it(tmp_path: Path, *, regional: bool) -> None:
    clients, fleet = tmp_path / "clients", tmp_path / "fleet"
    write(clients, digest(SECRET).hex())
    write(fleet, OTHER)
    files = KeyFiles(clients=str(clients), fleet=str(fleet), regional=regional)
    files.refresh()
    shown = f"{files!r} {files.credentials!r} {files.credentials}"
    assert SECRET not in shown
    assert OTHER not in shown

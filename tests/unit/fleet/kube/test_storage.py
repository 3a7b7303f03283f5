"""Of a storage that is full one hears once, and what to do about it."""

import pytest

from fleet.kube.errors import StorageFullError, TransientError
from fleet.kube.storage import Storage


@pytest.mark.parametrize(
    ("refused_at", "warnings"),
    [((0, 1, 2), 1), ((0, 50, 100, 150), 1), ((0, 10, 70), 2)],
    ids=["at once", "for long", "full again later"],
)
def test_a_full_storage_is_named_once_while_it_is_full(
    refused_at: tuple[float, ...], warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    times = iter(refused_at)
    storage = Storage("https://hub", lambda: next(times))
    for _ in refused_at:
        storage.hear(TransientError("etcdserver: request timed out"))
        storage.hear(StorageFullError("etcdserver: mvcc: database space exceeded"))
    said = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(said) == warnings
    for part in ("https://hub", "database space exceeded", "etcdctl alarm disarm"):
        assert part in str(vars(said[0]))

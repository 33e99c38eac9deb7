"""Records are read back whole, and reading ends in front of the first one that is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.errors import StorageError
from tinyhil.session.records import RecordFile, pack, unpack

RECORDS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=6)


def written(path: Path, records: list[tuple[int, bytes]], keep: int = 0) -> None:
    with RecordFile(path, keep) as file:
        for kind, body in records:
            file.append(kind, body)


def read(path: Path) -> list[tuple[int, bytes]]:
    with path.open("rb") as stream:
        return [(record.kind, record.body) for record in unpack(stream)]


@given(RECORDS)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, records: list[tuple[int, bytes]]) -> None:
    path = tmp_path_factory.mktemp("records") / "file"
    written(path, records)
    assert read(path) == records


def test_a_torn_tail_is_ignored_wherever_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "file"
    records = [(1, b"first"), (2, b""), (3, b"third")]
    whole = b"".join(pack(*record) for record in records)
    ends = [len(b"".join(pack(*record) for record in records[:count])) for count in range(4)]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert read(path) == records[: sum(end <= size for end in ends) - 1]


def test_no_flipped_bit_is_read_as_a_record(tmp_path: Path) -> None:
    path = tmp_path / "file"
    records = [(1, b"first"), (2, b"second")]
    whole = b"".join(pack(*record) for record in records)
    first = len(pack(*records[0]))
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert read(path) == (records[:1] if bit // 8 >= first else [])


def test_a_torn_tail_is_cut_off_before_the_file_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written(path, [(1, b"first"), (2, b"second")])
    keep = len(pack(1, b"first"))
    os.truncate(path, keep + 3)
    written(path, [(3, b"third")], keep)
    assert read(path) == [(1, b"first"), (3, b"third")]


def test_each_record_is_one_write_and_is_there_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    writes: list[int] = []
    real = os.write

    def write(handle: int, data: bytes) -> int:
        writes.append(len(data))
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    with RecordFile(path) as file:
        file.append(1, b"first")
        assert read(path) == [(1, b"first")]
        file.append(2, b"second")
        assert read(path) == [(1, b"first"), (2, b"second")]
    assert writes == [len(pack(1, b"first")), len(pack(2, b"second"))]


def test_a_full_disk_is_a_storage_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("blocked: this system has no /dev/full")
    file = RecordFile.__new__(RecordFile)
    file._path = Path("/dev/full")
    file._handle = os.open("/dev/full", os.O_WRONLY)
    with file, pytest.raises(StorageError, match="cannot write"):
        file.append(1, b"x")

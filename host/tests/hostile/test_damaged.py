"""Damaged files of every kind are errors of these files: named, with the place and the next step."""

from __future__ import annotations

import contextlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tinyhil.artifacts import foreign, store
from tinyhil.config import recipe as recipes
from tinyhil.config import toml
from tinyhil.data import npz
from tinyhil.errors import InputError
from tinyhil.quantize import divided, keras_config
from tinyhil.report import files
from tinyhil.session import journal
from tinyhil.session.journal import Answer, Journal, Origin
from tinyhil.session.recording import Kind, Recording
from tinyhil.session.records import pack

from . import seeds

_HEADER = {
    "recipe": "r", "target": "sim", "engine": "e", "scheme": "s", "kernels": "", "flash_bytes": None, "ram_bytes": None,
    "origin": dict.fromkeys(("model_sha256", "project_sha256", "firmware_sha256", "vectors_sha256"), ""),
    "sections": {}, "tool_versions": {},
}  # fmt: skip


def refused(path: Path, read: Callable[[Path], object]) -> InputError:
    with pytest.raises(InputError) as caught:
        read(path)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_flip_in_a_compressed_file(tmp_path: Path, method: int) -> None:
    whole, path = seeds.npz(method), tmp_path / "s.npz"
    ends = set()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        ends.add(_end(path))
    assert len(ends) > 2


def _end(path: Path) -> str:
    """Which exception of a parser has become an error of the file; empty where it was read."""
    try:
        npz.read(path)
    except InputError as error:
        told = error
    else:
        return ""
    assert path.name in told.message
    assert told.hint
    return type(told.__cause__).__name__


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def npy(shape: str, descr: str = "'<f4'") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(48)


@pytest.mark.parametrize(
    "shape",
    ["(True,)", "(2, True)", f"({2**40},)", f"({10**18}, 0)", "(-1,)", f"({'9' * 5000},)", "(" * 3000, "(1.5,)"],
)
def test_a_shape_that_is_none(tmp_path: Path, shape: str) -> None:
    refused(archive(tmp_path / "s.npz", {"x.npy": npy(shape)}), npz.read)
    (tmp_path / "s.npy").write_bytes(npy(shape))
    refused(tmp_path / "s.npy", npz.read_array)


@pytest.mark.parametrize("name", ["x", "x.npy"])
def test_two_arrays_of_one_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "s.npz"
    with (
        pytest.warns(UserWarning, match="Duplicate") if name == "x.npy" else contextlib.nullcontext(),
        zipfile.ZipFile(path, "w") as made,
    ):
        made.writestr("x.npy", npy("(3,)"))
        made.writestr(name, npy("(3,)"))
    assert "two arrays 'x'" in refused(path, npz.read).message


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.float32(1)},
        {"x": np.ones((4, 3)), "y": np.int32(1)},
        {"train_x": np.ones((4, 3)), "test_x": np.ones((4, 3)), "train_y": np.ones(3)},
    ],
)
def test_arrays_without_an_axis_of_samples(tmp_path: Path, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
    np.savez(tmp_path / "s.npz", **arrays)  # type: ignore[arg-type]
    refused(tmp_path / "s.npz", lambda path: divided.sets(path, [keras_config.KerasInput("x", (3,))]))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = " + "[" * 3000 + "]" * 3000, "line 1"),
        ("x = 1\ny = " + "9" * 5000, "line 2"),
        ("x = 1\n\ny = " + "{a=" * 3000, "line 3"),
        ("x = 0x" + "f" * 70_000 + "\ny = [" + "9" * 4301 + "]", "line"),
    ],
)
def test_toml_beyond_what_the_parser_takes(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    assert line in refused(tmp_path / "r.toml", toml.read).message
    refused(tmp_path / "r.toml", lambda path: toml.load(path, recipes.Recipe))


@pytest.mark.parametrize(
    "records",
    [
        [(Kind.KEPT, b"short")],
        [(Kind.OPEN, b"short")],
        [(Kind.OPEN, struct.pack("<dIB", 0, 1, 1))],
        [(Kind.OPEN, struct.pack("<dI", float("nan"), 1))],
        [(Kind.OPEN, struct.pack("<dI", 0, 1)), (Kind.RECEIVED, b"1234567")],
        [(Kind.OPEN, struct.pack("<dI", 0, 1)), (Kind.RECEIVED, struct.pack("<d", float("inf")))],
        [(Kind.OPEN, struct.pack("<dI", 0, 1)), (Kind.LOST, b"")],
    ],
)
def test_records_of_a_recording_with_a_right_crc(tmp_path: Path, records: list[tuple[Kind, bytes]]) -> None:
    whole = [(Kind.HEADER, json.dumps(_HEADER | {"format": 2}).encode()), *records]
    (tmp_path / "r.rec").write_bytes(b"".join(pack(kind, body) for kind, body in whole))

    def play(path: Path) -> None:
        recording = Recording(path)
        with contextlib.closing(recording):
            recording.open(None)  # type: ignore[arg-type]
            recording.received()

    assert " at byte " in refused(tmp_path / "r.rec", play).message


@pytest.mark.parametrize("head", [b"\xff\xfe{}", b"{", b"[" * 100_000, b'{"recipe": 1}', b""])
def test_a_header_that_is_none(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "r.rec").write_bytes(pack(Kind.HEADER, head))
    refused(tmp_path / "r.rec", Recording)


@pytest.mark.parametrize("body", [b"", b"1234567", struct.pack("<QI", 0, 4)])
def test_a_short_answer_in_a_journal_is_asked_for_again(tmp_path: Path, body: bytes) -> None:
    origin = Origin("m", "p", "f", "v")
    with Journal(tmp_path / "journal", origin, resume=False) as written:
        written.add(Answer(0, 4, 7, b"abcd"))
    with (tmp_path / "journal").open("ab") as stream:
        stream.write(pack(journal.Kind.ANSWER, body))
    with Journal(tmp_path / "journal", origin, resume=True) as found:
        assert (found.resumed, list(found.answers)) == (4, [0])
        found.add(Answer(4, 4, 7, b"abcd"))
    with Journal(tmp_path / "journal", origin, resume=True) as found:
        assert found.resumed == 8


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"schema": ' + "9" * 5000 + "}", '{"schema": NaN}', "\x1b[2J"])
def test_a_report_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / files.JSON).write_text(text)
    refused(tmp_path / files.JSON, lambda path: files.read(path.parent))


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", '{"schema": 1}', '{"schema": 1, "files": 3}'])
def test_a_manifest_that_is_none_is_made_again(tmp_path: Path, text: str) -> None:
    (tmp_path / store.MANIFEST).write_text(text)
    assert store.load(tmp_path, "stage", "key") is None


@pytest.mark.parametrize(
    "error", [ValueError("a\nb"), RecursionError(), MemoryError(), OSError("odd"), KeyError("k"), SystemError()]
)
def test_whatever_a_parser_raises(error: Exception) -> None:
    with (
        pytest.raises(InputError, match=r"^f\.x is not a file, or damaged: ") as caught,
        foreign.reading("f.x", "a file", InputError),
    ):
        raise error
    assert "\n" not in caught.value.message


def test_a_package_that_is_missing_is_not_the_file_s_fault() -> None:
    with pytest.raises(ModuleNotFoundError), foreign.reading("f.x", "a file", InputError):
        raise ModuleNotFoundError

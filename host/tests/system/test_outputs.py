"""What cannot be written is noticed before anything runs, and nothing that is no output is overwritten."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from tinyhil import api
from tinyhil.artifacts import store
from tinyhil.cli import job, session
from tinyhil.errors import ConfigError, StorageError
from tinyhil.options import Options
from tinyhil.session.recording import Kind
from tinyhil.session.records import pack


def code_of(path: Path, body: Callable[[session.Output], object]) -> int:
    """The exit code of a command with this --json."""
    with pytest.raises(typer.Exit) as caught, session.command(path) as output:
        body(output)
    return caught.value.exit_code


def _never(_: session.Output) -> None:
    pytest.fail("it has run")


@pytest.mark.parametrize(
    "place", ["folder", "file/below.json", "file/further/below.json", "link/x.json", "/proc/x.json"]
)
def test_json_that_cannot_be_written(tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    assert code_of(tmp_path / place, _never) == 3
    assert "next:" in capsys.readouterr().err


def test_a_pipe_that_nobody_reads_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe", _never) == 3
    assert "nobody reads it" in capsys.readouterr().err


def test_a_pipe_takes_the_result_whole(tmp_path: Path) -> None:
    """Looking whether it can be written is no end to who reads it."""
    path, got = tmp_path / "pipe", list[str]()
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    value = {"a": list(range(20_000))}  # more than a pipe holds
    for _ in range(1000):  # until the reader is there
        with contextlib.suppress(typer.Exit), session.command(path) as output:
            output.write_json(value)
            break
        time.sleep(0.01)
    reader.join(30)
    assert json.loads(got[0]) == value


def test_a_reader_that_has_had_enough_changes_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with session.command(tmp_path / "pipe") as output:
        os.close(reader)
        output.write_json({"a": 1})


def test_a_pipe_without_a_name_whose_reader_has_gone_changes_nothing() -> None:
    """As of ``tinyhil report sine --json /dev/stdout | true``."""
    reads, writes = os.pipe()
    os.close(reads)
    with session.command(Path(f"/dev/fd/{writes}")) as output:
        output.write_json({"a": 1})
    os.close(writes)


def test_a_full_device_is_an_error_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(Path("/dev/full"), lambda output: output.write_json({"a": 1})) == 3
    assert "cannot write /dev/full" in capsys.readouterr().err
    with session.command(Path("/dev/null")) as output:
        output.write_json({"a": 1})


def test_no_file_takes_the_place_of_a_pipe_or_a_device(tmp_path: Path) -> None:
    """As ``models --markdown /dev/null`` did, where the folder may be written."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/null")):
        with pytest.raises(StorageError, match="a pipe or a device"):
            store.refuse_unwritable(path)
        assert not path.is_file()


@pytest.mark.parametrize("content", [b"TFL3TFL3", b"x,y\n", b"\x89HDF", b"PK\x03\x04"])
def test_json_does_not_overwrite_what_is_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    assert code_of(tmp_path / "m.tflite", _never) == 2
    assert (tmp_path / "m.tflite").read_bytes() == content


def test_two_outputs_need_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to("one")
    options = Options(target="sim", record=tmp_path / "link")
    assert code_of(tmp_path / "one", lambda output: job.open_job(output, "sine", options)) == 2
    assert "--json and --record both name" in capsys.readouterr().err


@pytest.mark.parametrize("before", [None, b"", b'{"old": 1}', b" [1]"])
def test_json_that_can_be_written(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "new" / "out.json" if before is None else tmp_path / "out.json"
    if before is not None:
        path.write_bytes(before)
    with session.command(path) as output:
        assert path.exists() == (before is not None)
        output.write_json({"a": 1})
    assert path.read_text() == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize("content", [b"TFL3", b"{}", pack(Kind.SENT, b""), pack(Kind.HEADER, b"{}")[:-1]])
def test_record_does_not_overwrite_what_is_no_recording(tmp_path: Path, tiny_model: bytes, content: bytes) -> None:
    (tmp_path / "mine").write_bytes(content)
    with pytest.raises(ConfigError, match="exists and is no recording"):
        api.open_run(tiny_model, target="sim", record=tmp_path / "mine", build_dir=tmp_path / "build")
    assert (tmp_path / "mine").read_bytes() == content


def test_record_takes_no_pipe_and_no_device(tmp_path: Path, tiny_model: bytes) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ConfigError, match=f"--record {place} leads to a pipe or a device"):
            api.open_run(tiny_model, target="sim", record=place, build_dir=tmp_path / "build")


@pytest.mark.parametrize("content", [None, b"", pack(Kind.HEADER, b"of another version")])
def test_record_takes_a_new_file_and_a_recording(tmp_path: Path, tiny_model: bytes, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.rec").write_bytes(content)
    api.open_run(tiny_model, target="sim", record=tmp_path / "run.rec", build_dir=tmp_path / "build")
    assert (tmp_path / "run.rec").exists() == (content is not None)


@pytest.mark.parametrize(
    "options", [{"build_dir": "file"}, {"build_dir": "file/below"}, {"record": "folder"}, {"record": "file/below"}]
)
def test_a_run_whose_files_cannot_be_written(tmp_path: Path, tiny_model: bytes, options: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "m.tflite").write_bytes(tiny_model)
    paths = {"build_dir": tmp_path / "build"} | {name: tmp_path / value for name, value in options.items()}
    with pytest.raises(StorageError) as caught:
        api.open_run(tmp_path / "m.tflite", target="sim", **paths)  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_folder_in_the_place_of_a_report(tmp_path: Path, tiny_model: bytes) -> None:
    run = api.open_run(tiny_model, target="sim", build_dir=tmp_path / "build")
    (run.layout.target / "report.xml").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"report\.xml: it is a folder"):
        run.verify()
    assert not run.layout.models.exists()

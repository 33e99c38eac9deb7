"""A run whose device does not answer: the report says why by a stable id, and every form has what was said last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from rich.console import Console

import tinyhil
from tinyhil import kinds
from tinyhil.cli.console import show_error
from tinyhil.cli.session import Output
from tinyhil.cli.verdicts import _verify
from tinyhil.errors import DeviceError
from tinyhil.pipeline.answers.crash_places import decoding
from tinyhil.pipeline.run import Run
from tinyhil.targets import registry
from tinyhil.toolchain import backtrace

from ..session import bad_lines
from ..session.bad_lines import bad_line


@pytest.fixture
def hasty(here: Path) -> str:
    """The target ``sim``, with little patience."""
    text = (registry.SHIPPED / "sim.toml").read_text().replace('name = "sim"', 'name = "hasty"', 1)
    (here / "targets").mkdir()
    (here / "targets/hasty.toml").write_text(text.replace("answer_within = 10.0", "answer_within = 0.5"))
    return "hasty"


@contextmanager
def blocked(model_file: Path, target: str, **of_line: Any) -> Iterator[tuple[tinyhil.BlockedError, Path]]:
    """A run on a device with a bad line: its error, and the folder of its report."""
    port = model_file.parent / "ttyBOARD"
    with bad_line(port, **of_line), pytest.raises(tinyhil.BlockedError) as caught:
        tinyhil.run(model_file, target=target, port=str(port), search=0)
    (written,) = Path("build").rglob("report.json")
    yield caught.value, written.parent


DEVICES = [
    ({"change": bad_lines.text_inside}, "TH-336"),
    ({"change": bad_lines.returns_added}, "TH-337"),
    ({"babble": bad_lines.DOWNLOAD}, "TH-332"),
]


@pytest.mark.parametrize(("of_line", "wanted"), DEVICES, ids=[wanted for _, wanted in DEVICES])
def test_devices_are_told_apart_by_id(model_file: Path, hasty: str, of_line: dict[str, Any], wanted: str) -> None:
    with blocked(model_file, hasty, **of_line) as (error, folder):
        report = json.loads((folder / "report.json").read_text())["blocked"]
    assert report["id"] == error.kind.id == wanted
    assert kinds.of_id(wanted) is error.kind


def test_every_form_has_the_last_words(model_file: Path, hasty: str) -> None:
    last = "rumpelstilzchen 21.5"
    with blocked(model_file, hasty, babble=b"\x1b[2J" + last.encode() + b"\r\n") as (error, folder):
        forms = {path.suffix: path.read_text() for path in folder.glob("report.*")}
    console = Console(record=True, width=200)
    show_error(console, error, verbose=False)
    forms["terminal"] = console.export_text()
    assert set(forms) == {".html", ".json", ".md", ".xml", "terminal"}
    assert [form for form, text in forms.items() if last not in text] == []
    assert [form for form, text in forms.items() if "\x1b" in text] == []
    assert json.loads(forms[".json"])["blocked"]["id"] == kinds.OTHER_PROGRAM.id
    (case,) = ElementTree.fromstring(forms[".xml"]).iter("error")
    assert last in str(case.text)
    for text in forms.values():
        assert "tinyhil flash RECIPE --target NAME" in text, "the next step"


def test_a_crash_says_where_in_the_source_it_was(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtrace, "decoded", lambda text, elf: f"{text} is in {elf.name}")
    for kind, wanted in ((kinds.CRASHES, "fault 03 is in firmware.elf\nfault 03"), (kinds.NOISE, "fault 03")):
        with pytest.raises(DeviceError) as caught, decoding(Path("firmware.elf")):
            raise DeviceError("it crashed", detail="fault 03", kind=kind)
        assert caught.value.detail == wanted


def test_so_does_one_in_a_session_of_one_s_own(
    model_file: Path, hasty: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtrace, "decoded", lambda text, elf: f"it was in {elf.name}")
    port = here / "ttyBOARD"
    with (
        bad_line(port, babble=bad_lines.FAULT),
        pytest.raises(tinyhil.BlockedError) as caught,
        tinyhil.open_session(model_file, target=hasty, port=str(port)),
    ):
        pytest.fail("it does not answer")
    assert caught.value.kind is kinds.CRASHES
    first, *said = caught.value.detail.splitlines()
    assert first.startswith("it was in ")
    assert "  fault 03 at 0000089a" in said


def test_power_cycles_are_in_the_report_and_on_the_terminal_of_a_blocked_run(
    model_file: Path, hasty: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script stands in for uhubctl; the board stays in its boot loader whatever it does."""
    hub = here / "uhubctl"
    hub.write_text("#!/bin/sh\n")
    hub.chmod(0o755)
    with (here / "targets/hasty.toml").open("a") as file:
        file.write(
            f'\n[power]\noff = ["{hub}", "-a", "off"]\non = ["{hub}", "-a", "on"]\noff_seconds = 0.0\ncycles = 1\n'
        )
    with blocked(model_file, hasty, babble=bad_lines.DOWNLOAD) as (error, folder):
        report = json.loads((folder / "report.json").read_text())
    assert report["retries"]["power_cycles"] == 1
    assert "power cycles: 1" in report["blocked"]["cause"]

    def verify() -> None:
        raise error

    output = Output(Console(), Console(stderr=True), None, verbose=False)
    with pytest.raises(tinyhil.BlockedError):
        _verify(output, cast(Run, SimpleNamespace(verify=verify, layout=SimpleNamespace(results=folder))))
    assert "power cycles: 1" in capsys.readouterr().err

"""The command ``history``, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tinyhil import kinds
from tinyhil.cli.app import application
from tinyhil.errors import ExitCode
from tinyhil.history import place as places
from tinyhil.history import record
from tinyhil.history.place import Place
from tinyhil.report import files

from . import made

Call = Callable[..., Result]


@pytest.fixture
def tinyhil(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """``tinyhil("history", ...)`` as the command line has it, with two runs that wait for it."""
    monkeypatch.chdir(tmp_path)
    for number, report in enumerate((made.report(), made.report(flash=made.FLASH + 312))):
        record.leave(report, made.context(number), place.records)
    return lambda *arguments: CliRunner().invoke(application(arguments), list(map(str, arguments)))


@pytest.mark.parametrize("name", [(), ("show",)])
@pytest.mark.parametrize("arguments", [(), ("tiny",), ("--target", "qemu-m4"), ("--metric", "flash", "tiny")])
def test_the_first_command_needs_no_name(tinyhil: Call, name: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    done = tinyhil("history", *name, *arguments)
    assert done.exit_code == 0, done.output
    assert "+312 B" in done.stdout


def test_the_result_is_json_where_it_is_asked_for(tinyhil: Call) -> None:
    done = tinyhil("history", "tiny", "--json", "-")
    (one,) = json.loads(done.stdout)["series"]
    assert [run["figures"]["flash"] for run in one["runs"]] == [made.FLASH, made.FLASH + 312]


def test_the_page_is_written(tinyhil: Call, tmp_path: Path) -> None:
    assert tinyhil("history", "--html", "page.html").exit_code == 0
    assert "<figure" in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("nothing",), kinds.NO_HISTORY),
        (("--metric", "size"), kinds.UNKNOWN_NAME),
        (("--wrong",), kinds.USAGE),
        (("export", "--format", "yaml"), kinds.UNKNOWN_NAME),
        (("import",), kinds.USAGE),
        (("import", "nothing"), kinds.CONFIG),
    ],
)
def test_wrong_usage(tinyhil: Call, arguments: tuple[str, ...], kind: kinds.Kind) -> None:
    done = tinyhil("history", *arguments)
    assert done.exit_code == ExitCode.USAGE
    assert kind.id in done.stderr
    assert "next:" in done.stderr


def test_no_history_is_said(tinyhil: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("off", "elsewhere.db"):
        monkeypatch.setenv(places.VARIABLE, value)
        done = tinyhil("history")
        assert (done.exit_code, kinds.NO_HISTORY.id in done.stderr) == (ExitCode.USAGE, True)
    assert not Path("elsewhere.db").exists()


@pytest.mark.parametrize("form", ["json", "csv", "bencher", "github-action-benchmark"])
def test_what_is_exported_is_the_file_s_or_standard_output_s(tinyhil: Call, form: str, tmp_path: Path) -> None:
    printed = tinyhil("history", "export", "--format", form)
    assert printed.exit_code == 0, printed.output
    assert tinyhil("history", "export", "--format", form, "-o", "file").exit_code == 0
    assert (tmp_path / "file").read_text("utf-8") == printed.stdout
    assert "10,515" not in printed.stdout  # numbers, not texts
    assert "10515" in printed.stdout


def test_reports_are_imported_once(tinyhil: Call, tmp_path: Path) -> None:
    files.write(made.report(recipe="older"), tmp_path / "build/older/qemu-m4")
    first, second = (json.loads(tinyhil("history", "import", "build", "--json", "-").stdout) for _ in range(2))
    assert (first["new"], first["known"]) == (1, 0)
    assert (second["new"], second["known"]) == (0, 1)
    assert "older on qemu-m4" in tinyhil("history").stdout


def test_what_waits_and_is_damaged_is_said_and_the_rest_shown(tinyhil: Call, place: Place) -> None:
    (place.records / f"damaged{record.SUFFIX}").write_bytes(b"")
    done = tinyhil("history")
    assert (done.exit_code, "damaged" in done.stderr, "+312 B" in done.stdout) == (0, True, True)


def test_compare_takes_commits_branches_and_files(tinyhil: Call, tmp_path: Path) -> None:
    files.write(made.report(flash=made.FLASH - 1), tmp_path / "build/tiny/qemu-m4")
    for arguments, said in (
        ((made.COMMITS[0], made.COMMITS[1]), "+312 B"),
        ((made.COMMITS[1], made.COMMITS[0]), "-312 B"),
        ((made.COMMITS[0][:8],), "+312 B"),
        (("main", "build"), "-313 B"),
        (("build/tiny/qemu-m4/report.json", "main"), "+313 B"),
    ):
        done = tinyhil("compare", *arguments)
        assert (done.exit_code, said in done.stdout) == (0, True), done.output


def test_a_comparison_is_written_in_every_form(tinyhil: Call, tmp_path: Path) -> None:
    arguments = ("--markdown", "c.md", "--html", "c.html", "--json", "c.json", "--recipe", "tiny")
    assert tinyhil("compare", made.COMMITS[0], *arguments).exit_code == 0
    assert all("312" in (tmp_path / name).read_text("utf-8") for name in ("c.md", "c.html"))
    (pair,) = json.loads((tmp_path / "c.json").read_text("utf-8"))["pairs"]
    assert [one["name"] for one in pair["figures"] if one["outcome"] == "worse"] == ["flash"]

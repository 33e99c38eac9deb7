"""What `tinyhil run sine` leaves: five forms of one report, and a page that anybody can read."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tinyhil import __version__ as tinyhil_version
from tinyhil.report import files

from ..report.agreement import check, times
from ..visit import Visit, serious
from .cli import REPOSITORY, Cli


def test_a_run_leaves_five_forms_that_agree_and_know_no_time(made: Path) -> None:
    folder = made / "sine" / "qemu-m4"
    check(folder)
    assert times(folder) == []
    schema = json.loads((REPOSITORY / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads((folder / files.JSON).read_text(encoding="utf-8")), schema)


def test_it_says_what_built_it_and_by_which_hash(made: Path) -> None:
    report = files.read(made / "sine" / "qemu-m4")
    compilers = {"arm-none-eabi-gcc", "arm-none-eabi-g++"} & set(report.tool_versions)
    assert compilers
    for name in compilers:
        program = Path(str(shutil.which(name))).resolve()
        assert report.tool_sha256[name] == hashlib.sha256(program.read_bytes()).hexdigest()
    assert set(report.tool_sha256) == set(report.tool_versions) >= {"platformio", "scons"}
    assert report.made_by == f"tinyhil {tinyhil_version}"


@pytest.mark.long
def test_the_page_of_a_run_in_chromium(made: Path, visit: Callable[..., Visit]) -> None:
    seen = visit((made / "sine" / "qemu-m4" / files.HTML).read_text(encoding="utf-8"), 360)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious(seen.page) == []
    assert seen.page.get_by_role("img").count() == 2
    assert seen.complaints == []
    assert seen.requests == [seen.page.url]


def test_the_last_lines_name_the_page(tinyhil: Cli, made: Path) -> None:
    out = tinyhil("report", "sine", "--build-dir", made).out
    assert f"{made}/sine/qemu-m4/report.html" in out

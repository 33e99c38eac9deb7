"""What a run sends: as much as its budget allows, samples in any form, and what looks wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tinyhil.compare.digest import digest
from tinyhil.report import files

from ..report import agreement
from .cli import Cli

SLOW = "\n[pace]\nbytes_per_second = 5\nmacs_per_second = 1000000\n"


@pytest.fixture
def cli(tinyhil: Cli, tiny_model: bytes) -> Cli:
    """A folder with a model of 3 inputs and 2 outputs, and a target as slow as a word."""
    (tinyhil.cwd / "m.TFLITE").write_bytes(tiny_model)
    (tinyhil.cwd / "targets").mkdir()
    (tinyhil.cwd / "targets/slow.toml").write_text(slow_target())
    return tinyhil


def slow_target() -> str:
    """``sim`` under another name and with another pace."""
    from tinyhil.targets import registry

    text = (registry.SHIPPED / "sim.toml").read_text().replace('name = "sim"', 'name = "slow"')
    before, rest = text.split("\n[pace]\n")
    return before + SLOW + rest[rest.index("\n[measure]") :]


def write(path: Path, array: npt.NDArray[np.float64]) -> None:
    with path.open("wb") as stream:  # a path would get a suffix in lower case
        np.save(stream, array)


def only(folder: Path) -> Path:
    (found,) = folder.glob("m-*")
    return found


def test_a_run_sends_what_its_budget_allows_and_says_so_before_and_after(cli: Cli) -> None:
    done = cli("run", "m.TFLITE", "--target", "slow", "--record", "run.rec")
    assert done.code == 0, done.out + done.err
    # 5 bytes a vector at 5 a second: two thirds of 60 s, and a third for the search
    plan = "40 of 261 vectors and a search of 20 inputs, about 60 s; --vectors all sends all of them"
    assert plan in done.out
    assert done.out.index(plan) < done.out.index("40 vectors, and 20 more searched")
    assert "40 of 261 drawn vectors and samples were sent" in done.out
    assert "20 of 256 inputs were for the search" in done.out
    folder = only(cli.cwd / "build") / "slow"
    agreement.check(folder)
    assert agreement.times(folder) == []
    report = files.read(folder)
    assert report.scope is not None
    assert report.fidelity is not None
    assert (report.scope.vectors, report.scope.available) == (report.fidelity.vectors, 261) == (40, 261)
    assert (report.scope.search, report.scope.search_wanted) == (20, 256)
    again = cli("replay", "run.rec", "--json", "again.json")
    assert again.code == 0, again.out + again.err
    assert f"sha256 {digest(report)}" in again.out
    assert json.loads((cli.cwd / "again.json").read_text())["scope"] == json.loads(files.to_json(report))["scope"]


@pytest.mark.long
def test_vectors_and_search_overrule_the_budget(cli: Cli) -> None:
    done = cli("run", "m.TFLITE", "--target", "slow", "--vectors", "all", "--search", "70", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    found = json.loads((cli.cwd / "out.json").read_text())
    assert (found["fidelity"]["vectors"], found["fidelity"]["search"]["tried"]) == (261, 70)
    assert "left out" not in done.out
    done = cli("run", "m.TFLITE", "--target", "slow", "--vectors", "33", "--search", "0", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    assert json.loads((cli.cwd / "out.json").read_text())["fidelity"]["vectors"] == 33
    refused = cli("run", "m.TFLITE", "--target", "sim", "--budget", "soon")
    assert refused.code == 2
    assert "'soon' is no duration" in refused.err


@pytest.mark.long
def test_saturated_samples_are_a_warning_in_every_form(cli: Cli) -> None:
    write(cli.cwd / "s.NPY", np.full((10, 3), 1e6))
    done = cli("run", "m.TFLITE", "--target", "sim", "--samples", "s.NPY")
    assert done.code == 0, done.out + done.err
    warning = "100.0 % of the values of the samples are outside of what input"
    assert warning in done.out
    folder = only(cli.cwd / "build") / "sim"
    agreement.check(folder)
    for name in (files.JSON, files.XML, files.MARKDOWN, files.HTML):
        assert warning in (folder / name).read_text(), name
    assert "⚠ Warning" in (folder / files.MARKDOWN).read_text()
    write(cli.cwd / "s.NPY", np.zeros((10, 3)))
    done = cli("run", "m.TFLITE", "--target", "sim", "--samples", "s.NPY")
    assert "outside of what input" not in done.out


def test_labels_judge_a_tflite_file(cli: Cli) -> None:
    rows = ["a,b,c,label", *(f"{10 * (n % 3)},{n},{-n},{'up' if n % 2 else 'down'}" for n in range(30))]
    (cli.cwd / "s.csv").write_text("\n".join(rows))
    done = cli("run", "m.TFLITE", "--target", "sim", "--samples", "s.csv", "--record", "run.rec", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    found = json.loads((cli.cwd / "out.json").read_text())["accuracy"]
    assert (found["vectors"], found["overall"], found["bounds"]) == (30, None, [])
    classes = found["classifier"]
    assert classes["float_model"] is None
    assert [each["name"] for each in classes["device"]["classes"]] == ["down", "up"]
    assert classes["device"] == classes["reference"]
    matrix = np.array(classes["device"]["confusion"])
    assert matrix.sum() == 30
    assert classes["device"]["accuracy"] == pytest.approx(matrix.trace() / 30)
    assert f"accuracy {100 * matrix.trace() / 30:.2f} %, no accuracy bound asked" in done.out
    agreement.check(only(cli.cwd / "build") / "sim")
    again = cli("replay", "run.rec")
    assert again.code == 0, again.out + again.err
    verdict = next(line for line in done.out.splitlines() if line.startswith("verdict "))
    assert verdict in again.out


def test_a_folder_of_images_is_refused_by_its_classes_and_by_its_size(cli: Cli) -> None:
    for number, name in enumerate(("cat", "dog", "owl")):
        (cli.cwd / "images" / name).mkdir(parents=True)
        Image.new("L", (3, 1), number).save(cli.cwd / "images" / name / "a.png")
    refused = cli("run", "m.TFLITE", "--target", "sim", "--samples", "images")
    assert refused.code == 2
    assert "3 classes, cat, dog, owl; the model has 2 scores" in refused.err
    Image.new("L", (3, 2)).save(cli.cwd / "images/owl/a.png")
    refused = cli("run", "m.TFLITE", "--target", "sim", "--samples", "images")
    assert refused.code == 2
    assert "3 x 2 pixels" in refused.err

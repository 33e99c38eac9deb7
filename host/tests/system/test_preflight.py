"""Pre-flight as a user has it: models of TensorFlow's own export, and files that lie about."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite

from .cli import REPOSITORY, Cli

OLD = "old"
SCALES = re.compile(r"operator \d FULLY_CONNECTED has 16 scales \(per channel\) for its weights, tensor \d+ '\S+'")


@pytest.fixture(scope="session")
def models(sine_on: Callable[..., Path]) -> Path:
    """A build folder with the model ``sine`` in it both ways; both are exported by TensorFlow."""
    build = sine_on()
    for scheme in ("int8", "int8-per-channel"):
        done = Cli(build.parent)("quantize", "sine", "--target", "native", "--scheme", scheme)
        assert done.code == 0, done.err
    return build


def dense_scales(file: Path) -> list[int]:
    """Scales of the weights of each Dense layer."""
    graph = tflite.parse(file.read_bytes(), file.name).main
    return [len(graph.tensors[operator.inputs[1]].scales) for operator in graph.operators]


@pytest.fixture
def old(tinyhil: Cli, models: Path) -> Cli:
    """A folder with the model, and a target whose engine gets Dense layers per channel wrong."""
    shutil.copytree(models / "sine/model", tinyhil.cwd / "build/sine/model")
    text = (REPOSITORY / "host/tinyhil/targets/data/native.toml").read_text()
    for before, after in (
        ('name = "native"', f'name = "{OLD}"'),
        ('facts = "bakenn"', 'facts = "bakenn"\nper_channel_dense = false\ndense = "per-channel"'),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    (tinyhil.cwd / "targets").mkdir()
    (tinyhil.cwd / f"targets/{OLD}.toml").write_text(text)
    return tinyhil


def test_the_schemes_are_exported_as_they_say(models: Path) -> None:
    assert dense_scales(models / "sine/model/int8/model.tflite") == [1, 1, 1, 1]
    assert dense_scales(models / "sine/model/int8-per-channel/model.tflite") == [16, 16, 16, 1]


def test_the_quantizer_chooses_what_the_engine_computes_right(old: Cli) -> None:
    done = old("quantize", "sine", "--target", OLD, "--json", "out.json")
    assert done.code == 0, done.err
    made = json.loads((old.cwd / "out.json").read_text())
    assert made["scheme"] == "int8"
    assert dense_scales(old.cwd / made["model"]) == [1, 1, 1, 1]
    done = old("preflight", "sine", "--target", OLD)
    assert done.code == 0, done.out + done.err
    assert re.search(r"^preflight +0\.\d s  ok, 4 operators, ", done.out, re.MULTILINE)

    file = old.cwd / f"targets/{OLD}.toml"
    file.write_text(file.read_text().replace("per_channel_dense = false", "per_channel_dense = true"))
    done = old("quantize", "sine", "--target", OLD, "--json", "out.json")
    made = json.loads((old.cwd / "out.json").read_text())
    assert made["scheme"] == "int8-per-channel"
    assert dense_scales(old.cwd / made["model"]) == [16, 16, 16, 1]


@pytest.mark.parametrize("command", ["render", "build", "flash", "run", "verify"])
def test_an_export_that_the_engine_gets_wrong_is_refused(old: Cli, command: str) -> None:
    done = old(command, "sine", "--target", OLD, "--scheme", "int8-per-channel")
    assert done.code == 2, done.out + done.err
    assert "is not for the engine 'compiled' of old, 3 problems:" in done.err
    assert len(SCALES.findall(done.err)) == 3
    assert "--scheme int8 does so" in done.err
    assert "--force goes on" in done.err
    assert "render " not in done.out
    assert not (old.cwd / "build/sine/old-int8-per-channel").exists()


@pytest.mark.long
def test_forced_it_runs_with_a_warning_and_the_report_says_so(old: Cli) -> None:
    """This engine computes it right in truth, so the verdict is pass; host/tests/pipeline has one that does not."""
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    done = old("run", "sine", "--target", OLD, "--scheme", "int8-per-channel", "--force", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    assert done.out.count("warning: forced in spite of: operator ") == 3
    assert len(re.findall("^forced +in spite of: operator ", done.out, re.MULTILINE)) == 3
    report = json.loads((old.cwd / "out.json").read_text())
    assert report["scheme"] == "int8-per-channel"
    assert [problem["kind"] for problem in report["forced"]] == ["per-channel-dense"] * 3
    shown = old("report", "sine", "--target", OLD, "--scheme", "int8-per-channel")
    assert shown.code == 0
    assert "in spite of: operator 0" in shown.out
    assert old("report", "sine", "--target", OLD).code == 2, "there has been no run of the recipe's scheme"


@pytest.mark.long
def test_the_shipped_engine_computes_both_and_is_not_forced(tinyhil: Cli, models: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("blocked: g++ is not installed")
    arguments = ("--target", "native", "--scheme", "int8-per-channel", "--json", "out.json")
    done = tinyhil("run", "sine", "--build-dir", models, *arguments)
    assert done.code == 0, done.out + done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert (report["fidelity"]["vectors"], report["fidelity"]["mismatches"]) == (256, 0)
    assert report["forced"] == []


@pytest.fixture
def file(tinyhil: Cli, build_tflite: Callable[..., bytes]) -> Path:
    """A model file with two things wrong."""

    def edit(model: object) -> None:
        graph = model.subgraphs[0]  # type: ignore[attr-defined]
        graph.tensors[0].shapeSignature = [-1, -1]
        code = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0] = schema.OperatorCodeT(  # type: ignore[attr-defined]
            builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp"
        )

    path = tinyhil.cwd / "mine.tflite"
    path.write_bytes(build_tflite(edit))
    return path


def test_a_file_is_examined_without_training(tinyhil: Cli, file: Path) -> None:
    done = tinyhil("preflight", file.name, "--json", "out.json")
    assert done.code == 2
    assert "operator 0 CUSTOM(MyOp) is not computed by 'compiled'" in done.out
    assert "tensor 0 'in' has a dynamic shape, (-1, -1)" in done.out
    assert "2 problems: mine.tflite for the engine 'compiled' of qemu-m4" in done.out
    found = json.loads((tinyhil.cwd / "out.json").read_text())
    assert [problem["kind"] for problem in found["problems"]] == ["custom-operator", "dynamic-shape"]
    assert not (tinyhil.cwd / "build").exists()


def test_a_file_with_nothing_wrong(tinyhil: Cli, tiny_model: bytes) -> None:
    (tinyhil.cwd / "fine.tflite").write_bytes(tiny_model)
    done = tinyhil("preflight", "fine.tflite", "--target", "native")
    assert (done.code, done.err) == (0, "")
    assert "no problem: fine.tflite for the engine 'compiled' of native" in done.out


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "mine.tflite is empty"), (None, "there is no file mine.tflite"), (0.5, "damaged or truncated")],
)
def test_a_file_that_is_no_whole_model(tinyhil: Cli, file: Path, content: bytes | float | None, words: str) -> None:
    if content is None:
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes(content if isinstance(content, bytes) else whole[: int(len(whole) * content)])
    done = tinyhil("preflight", file.name)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_file_takes_no_scheme(tinyhil: Cli, file: Path) -> None:
    done = tinyhil("preflight", file.name, "--scheme", "int8")
    assert done.code == 2
    assert "is quantized already" in done.err


def test_several_models_are_held_in_one_call(tinyhil: Cli, tmp_path: Path, tiny_model: bytes) -> None:
    """As pre-commit calls it."""
    for name in ("a.tflite", "b.tflite"):
        (tmp_path / name).write_bytes(tiny_model)
    done = tinyhil("preflight", "a.tflite", "b.tflite", "--target", "sim", "--json", "-")
    assert done.code == 0, done.err
    assert [one["model"] for one in json.loads(done.out)["models"]] == ["a.tflite", "b.tflite"]

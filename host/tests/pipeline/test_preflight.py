"""Pre-flight as a stage of a run, and what the verdict makes of a run that was forced through it.

The runs are real from the model file on: rendered, compiled with g++, run as a process, asked over its terminal. The
model is made here, and its reference outputs are those of TFLM's own interpreter.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil.errors import ConfigError, ModelError
from tinyhil.options import Options
from tinyhil.pipeline.opening import open_replay, open_run
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources import RecipeSource
from tinyhil.progress import Reporter, Silent
from tinyhil.quantize import quantized_folder, stage
from tinyhil.render import compiled
from tinyhil.targets import registry
from tinyhil.targets.model import Engine

from ..chain.one_operator import T, constant, model_of

COUNT = 64
OLD = "old"
"""A target of the user's: ``native`` with an engine that gets Dense layers per channel wrong."""

Build = Callable[..., bytes]


@dataclass
class Watching:
    """Remembers what it is told."""

    stages: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        self.stages.append(name)
        yield Silent()

    def result(self, note: str, *, found: bool) -> None:
        self.notes.append(note)

    def announcement(self, text: str) -> None:
        """Ignores it."""

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder with the target ``old`` in it."""
    text = (registry.SHIPPED / "native.toml").read_text()
    assert 'facts = "bakenn"' in text
    text = text.replace('name = "native"', f'name = "{OLD}"', 1)
    text = text.replace('facts = "bakenn"', 'facts = "bakenn"\nper_channel_dense = false')
    (tmp_path / "targets").mkdir()
    (tmp_path / "targets" / f"{OLD}.toml").write_text(text)
    monkeypatch.chdir(tmp_path)


def per_channel(model: Any) -> None:
    """Two channels that differ by a factor of 16; input scale 0.5."""
    tensors = model.subgraphs[0].tensors
    for tensor, scales in ((tensors[1], [0.25, 4.0]), (tensors[2], [0.125, 2.0])):
        tensor.quantization.scale, tensor.quantization.zeroPoint = scales, [0, 0]
    tensors[3].quantization.scale = [16.0]


@pytest.fixture
def quantized(
    tmp_path: Path, quantized_model: Callable[[Path, bytes], QuantizedModel]
) -> Callable[[bytes], QuantizedModel]:
    """Makes a quantized model of a file's bytes, with random vectors and the outputs of the integer reference."""

    def make(data: bytes) -> QuantizedModel:
        model = quantized_model(tmp_path, data)
        inputs = np.random.default_rng(5).integers(-128, 128, (COUNT, 1, 3), np.int8)
        samples = model.inputs[0].dequantize(inputs).astype(np.float32)
        np.savez(tmp_path / quantized_folder.VECTORS, input_0=inputs, sample_0=samples)
        sent = {"available": COUNT, "drawn": COUNT, "exhaustive": False}
        computed = stage.expectations(tmp_path, Silent(), sent, float_model=False)
        with np.load(tmp_path / quantized_folder.REFERENCE) as stored:
            outputs = stored["reference_0"]
        return replace(
            model,
            vectors=Vectors((inputs,), (outputs,), None, False),
            reference=computed["reference"],
        )

    return make


def run_of(model: QuantizedModel, target: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Run, Watching]:
    """A run whose quantized model is this one."""
    watching = Watching()
    monkeypatch.setattr(RecipeSource, "content", lambda _: (model.path.read_bytes(), str(model.path)))
    monkeypatch.setattr(RecipeSource, "quantized", lambda _: model)
    run = open_run("sine", Options(target=target, **{"search": 0, **options}), watching)
    assert isinstance(run.source, RecipeSource)
    run.source.recipe = msgspec.structs.replace(run.source.recipe, demo=None)  # which is the sine's
    return run, watching


@pytest.mark.parametrize("stage", ["render", "build", "flash", "capture", "verify"])
def test_no_stage_begins_before_pre_flight_has_passed(
    stage: str, build_tflite: Build, quantized_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = quantized_model(tmp_path, build_tflite(per_channel))
    run, watching = run_of(model, OLD, monkeypatch)
    monkeypatch.setattr(RecipeSource, "quantized", lambda _: pytest.fail("the reference is computed"))
    with pytest.raises(ModelError, match=r"1 problem:\n  operator 0 FULLY_CONNECTED has 2 scales") as caught:
        getattr(run, stage)()
    assert caught.value.exit_code == 2
    assert watching.stages == ["preflight", "takers"]
    assert watching.notes[0].startswith("1 problem, 1 operator, ")
    assert not run.layout.target.exists()


def test_what_passes_says_so(
    tiny_model: bytes, quantized_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, watching = run_of(quantized_model(tmp_path, tiny_model), "native", monkeypatch, force=True)
    run.render()
    assert watching.stages == ["preflight", "render"]
    assert watching.notes[0].startswith("ok, 1 operator, ")
    assert watching.warnings == []
    assert run.evidence.forced == ()


def test_a_forced_model_that_the_engine_itself_refuses(
    quantized_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = T("int8", (1, 4), 0.5)
    sums = model_of("CUMSUM", [numbers, constant(np.array([1], "<i4"))], [numbers], schema.CumsumOptionsT())
    run, watching = run_of(quantized_model(tmp_path, sums), "native", monkeypatch, force=True)
    with pytest.raises(ModelError, match="the engine 'compiled' cannot compute"):
        run.render()
    assert watching.warnings == ["forced in spite of: operator 0 CUMSUM is not computed by 'compiled'"]


def first_scale_for_all(data: bytes) -> bytes:
    """What a library sees that knows no scales per channel: the first one of each tensor."""
    import flatbuffers  # type: ignore[import-untyped]

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    for tensor in model.subgraphs[0].tensors:
        tensor.quantization.scale = tensor.quantization.scale[:1]
        tensor.quantization.zeroPoint = tensor.quantization.zeroPoint[:1]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Makes the engine one that takes the first scale for all channels, and reports success."""
    generate = compiled.generate

    def wrong(model: QuantizedModel, engine: Engine) -> dict[str, bytes]:
        path = tmp_path / "seen.tflite"
        path.write_bytes(first_scale_for_all(model.path.read_bytes()))
        return generate(replace(model, path=path), engine)

    monkeypatch.setattr(compiled, "generate", wrong)


needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="blocked: g++ is not installed")


@pytest.mark.long
@needs_compiler
@pytest.mark.usefixtures("planted")
def test_the_verdict_catches_a_forced_model_that_is_computed_wrong(
    build_tflite: Build, quantized: Callable[[bytes], QuantizedModel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = quantized(build_tflite(per_channel))
    record = tmp_path / "run.rec"
    run, watching = run_of(model, OLD, monkeypatch, force=True, scheme="int8-per-channel", record=record)
    report = run.verify()
    assert report.verdict == "fail"
    assert report.fidelity is not None
    # The second channel is wrong wherever it is not saturated or too small to show it.
    assert report.fidelity.mismatches > COUNT // 2
    assert f"{report.fidelity.mismatches} of {COUNT} outputs wrong" in report.summary
    assert [problem.kind for problem in report.forced] == ["per-channel-dense"]
    assert watching.warnings == [f"forced in spite of: {report.forced[0].cause}"]
    assert run.layout.target == Path("build/sine/old-int8-per-channel")
    assert (run.layout.target / "report.json").is_file()

    with open_replay(record, Path("build"), Watching()) as again:
        assert again.source.scheme == "int8-per-channel"
        assert again.judge() == report


@needs_compiler
@pytest.mark.long
def test_the_same_forced_model_passes_where_it_is_computed_right(
    build_tflite: Build, quantized: Callable[[bytes], QuantizedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is the engine of the test above that is wrong, not the model; and the report says it was forced."""
    run, _ = run_of(quantized(build_tflite(per_channel)), OLD, monkeypatch, force=True)
    report = run.verify()
    assert report.verdict == "pass", report.summary
    assert [problem.kind for problem in report.forced] == ["per-channel-dense"]


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ({}, "sine/native"),
        ({"engine": "compiled", "scheme": "int8"}, "sine/native"),
        ({"scheme": "int8-per-channel"}, "sine/native-int8-per-channel"),
        ({"target": "two", "engine": "other"}, "sine/two-other"),
        ({"target": "two", "engine": "other", "scheme": "int8-per-channel"}, "sine/two-other-int8-per-channel"),
    ],
)
def test_the_folder_is_named_after_what_differs(options: dict[str, str], folder: str) -> None:
    text = (registry.SHIPPED / "native.toml").read_text().replace('name = "native"', 'name = "two"', 1)
    other = text[text.index("[engines.compiled]") :].replace("engines.compiled", "engines.other")
    Path("targets/two.toml").write_text(text + other)
    chosen = Options(**{"target": "native", "build_dir": Path("made"), **options})  # type: ignore[arg-type]
    assert open_run("sine", chosen, Watching()).layout.target == Path("made") / folder


def test_a_scheme_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="unknown scheme 'int5'") as caught:
        open_run("sine", Options(target="native", scheme="int5"), Watching())
    assert "int8-per-channel" in caught.value.hint

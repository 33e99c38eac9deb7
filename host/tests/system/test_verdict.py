"""The main job, and that it notices when the device computes something else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite

from .cli import Cli

FIRMWARE = Path("sine/qemu-m4/firmware/firmware.elf")


@pytest.fixture
def passed(tinyhil: Cli, made: Path, tmp_path: Path) -> dict[str, Any]:
    """The JSON of a warm run."""
    done = tinyhil("run", "sine", "--build-dir", made, "--json", "out.json")
    assert done.code == 0, done.out + done.err
    report: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return report


def test_the_sine_is_exact_small_and_quick(passed: dict[str, Any]) -> None:
    assert passed["verdict"] == "pass"
    assert passed["fidelity"]["vectors"] == 256
    assert passed["fidelity"]["mismatches"] == 0
    assert passed["fidelity"]["max_lsb"] == 0
    assert passed["fidelity"]["exhaustive"] is True
    assert passed["accuracy"]["overall"]["float_vs_truth"]["mae"] <= 0.05
    assert passed["accuracy"]["overall"]["device_vs_truth"]["mae"] <= 0.06
    assert 0 < passed["accuracy"]["overall"]["device_vs_float"]["mae"] <= 0.06
    assert passed["size"]["flash_bytes"] <= 12 * 1024
    assert passed["size"]["ram_bytes"] > 0
    assert 1000 < passed["instructions_per_inference"] <= 5500
    assert passed["microseconds_per_inference"] is None
    assert passed["target"] == "qemu-m4"
    assert passed["engine"] == "compiled"
    for name in ("model_sha256", "project_sha256", "firmware_sha256"):
        assert re.fullmatch("[0-9a-f]{64}", passed[name])
    assert {"platformio", "arm-none-eabi-gcc"} <= set(passed["tool_versions"])


def test_a_warm_run_makes_nothing_anew_but_the_verdict(tinyhil: Cli, made: Path) -> None:
    out = tinyhil("run", "sine", "--build-dir", made).out
    for stage in ("train", "quantize", "render", "build"):
        assert re.search(rf"^{stage} +unchanged ", out, re.MULTILINE), out
    for stage in ("session", "verify"):
        assert re.search(rf"^{stage} +\d+\.\d s ", out, re.MULTILINE), out
    assert out.splitlines()[-1].startswith("PASS  sine on qemu-m4 (compiled): 256/256 outputs exact")


def test_a_warm_run_imports_no_tensorflow(made: Path, tmp_path: Path) -> None:
    """Modules of these names that refuse to be imported stand in front of the real ones, for every child as well."""
    for name in ("tensorflow", "keras", "tflite_micro.runtime"):
        (tmp_path / f"{name.partition('.')[0]}.py").write_text("raise AssertionError('imported')\n")
    (tmp_path / "tflite_micro.py").unlink()  # its schema module is needed to read the model; its interpreter is not
    done = Cli(tmp_path, python_path=(tmp_path,))("run", "sine", "--build-dir", made)
    assert done.code == 0, done.err
    cold = Cli(tmp_path, python_path=(tmp_path,))("train", "sine")
    assert "imported" in cold.err, "the stand-ins do not work, so the first half shows nothing"


def test_json_on_standard_output_is_nothing_but_json(tinyhil: Cli, made: Path) -> None:
    done = tinyhil("run", "sine", "--build-dir", made, "--json", "-")
    assert json.loads(done.out)["verdict"] == "pass"
    assert "PASS" in done.err


def test_the_report_can_be_shown_again(tinyhil: Cli, made: Path) -> None:
    done = tinyhil("report", "sine", "--build-dir", made)
    assert done.code == 0
    assert "256/256" in done.out


def test_the_terminal_names_what_a_reader_looks_for(tinyhil: Cli, made: Path) -> None:
    out = tinyhil("run", "sine", "--build-dir", made).out
    for label in ("target", "engine", "fidelity", "device vs float", "device vs truth", "flash", "RAM", "instructions"):
        assert re.search(rf"^{label} ", out, re.MULTILINE), label
    assert not re.search(r"\d\s*(ms|us|µs|milliseconds|microseconds)\b", out), "an emulator knows no time"


@pytest.fixture
def patched(copied: Path, tmp_path: Path) -> Callable[[bytes, bytes], Path]:
    """The built image with some bytes replaced wherever they stand."""

    def patch(old: bytes, new: bytes) -> Path:
        content = (copied / FIRMWARE).read_bytes()
        assert len(old) == len(new)
        assert old in content, "the image does not contain what is to be changed"
        path = tmp_path / "patched.elf"
        path.write_bytes(content.replace(old, new))
        return path

    return patch


def weights(model: bytes) -> bytes:
    """The 256 weights of a hidden layer, as they stand in the model file."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    unpacked = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    sizes = [bytes(np.asarray(buffer.data, np.uint8)) for buffer in unpacked.buffers if buffer.data is not None]
    return next(data for data in sizes if len(data) == 256)


def test_one_changed_weight_fails(tinyhil: Cli, copied: Path, patched: Callable[[bytes, bytes], Path]) -> None:
    before = weights((copied / "sine/model/int8/model.tflite").read_bytes())
    changed = int(np.argmax(np.abs(np.frombuffer(before, np.int8))))
    after = bytearray(before)
    after[changed] ^= 0x80
    done = tinyhil("verify", "sine", "--firmware", patched(before, bytes(after)), "--json", "out.json")
    assert done.code == 1, done.out + done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["verdict"] == "fail"
    assert report["fidelity"]["mismatches"] > 0
    assert "FAIL" in done.out


def test_one_changed_scale_in_the_handshake_blocks(
    tinyhil: Cli, copied: Path, patched: Callable[[bytes, bytes], Path]
) -> None:
    facts = tflite.read((copied / "sine/model/int8/model.tflite").read_bytes(), "model.tflite")
    scale = np.float32(facts.outputs[0].scale)
    other = np.nextafter(scale, np.float32(1))
    done = tinyhil("verify", "sine", "--firmware", patched(scale.tobytes(), other.tobytes()), "--json", "out.json")
    assert done.code == 3, done.out + done.err
    assert "output 0 of the device differs from the model's: scale" in done.err
    report = json.loads((tinyhil.cwd / "out.json").read_text())
    assert report["verdict"] == "blocked"
    assert report["fidelity"] is None
    assert "scale" in report["blocked"]["cause"]


@pytest.mark.parametrize(("what", "key"), [("model", "model_sha256"), ("build", "project_sha256")])
def test_stale_firmware_blocks_and_shows_both_hashes(
    tinyhil: Cli, copied: Path, patched: Callable[[bytes, bytes], Path], what: str, key: str
) -> None:
    expected = json.loads((copied / "sine/qemu-m4/report.json").read_text())[key]
    other = "5a" * 32
    done = tinyhil("verify", "sine", "--firmware", patched(bytes.fromhex(expected), bytes.fromhex(other)))
    assert done.code == 3, done.out + done.err
    assert f"stale firmware: the device runs another {what}" in done.err
    assert expected in done.err
    assert other in done.err

"""Reports: one of a whole run on an emulator, and Hypothesis' of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import Capture, FirmwareImage, Project, QuantizedModel, Vectors
from tinyhil.compare.preprocessing import Preprocessing
from tinyhil.compare.verdict import Report
from tinyhil.config.recipe import Accuracy, Fidelity
from tinyhil.report import assemble
from tinyhil.report.assemble import Evidence
from tinyhil.targets.model import Target
from tinyhil.verify import verify

TICKS = 123
MODEL_SHA, PROJECT_SHA, FIRMWARE_SHA = "0a" * 32, "1b" * 32, "2c" * 32


@pytest.fixture
def evidence(tmp_path: Path, tiny_model: bytes, quantized_model: Callable[[Path, bytes], QuantizedModel]) -> Evidence:
    """What a whole run has made; the device is right in one vector of three, and wrong in three elements."""
    model = quantized_model(tmp_path, tiny_model)
    reference = np.arange(6, dtype=np.int8).reshape(3, 1, 2)
    device = reference.copy()
    device[1, 0, 0] += 5
    device[2] -= 2
    vectors = Vectors(
        inputs=(np.arange(9, dtype=np.int8).reshape(3, 1, 3),),
        reference=(reference,),
        float_outputs=(model.outputs[0].dequantize(reference) + 0.25,),
        exhaustive=False,
    )
    return Evidence(
        model=replace(model, vectors=vectors, sha256=MODEL_SHA),
        project=Project(tmp_path, "qemu-m4", PROJECT_SHA, MODEL_SHA, "compiled", "bakenn 9.8.7, cmsis-nn"),
        image=FirmwareImage(
            elf=tmp_path / "firmware.elf",
            sha256=FIRMWARE_SHA,
            project_sha256=PROJECT_SHA,
            model_sha256=MODEL_SHA,
            engine="compiled",
            flash_bytes=10_203,
            ram_bytes=4_567,
            sections={".text": 10_000, ".data": 203},
            tool_versions={"gcc": "12.2"},
        ),
        capture=Capture((device,), TICKS, 25_000_000, "compiled", 89, {"vectors": 3}, {"resends": 1}),
    )


@pytest.fixture
def judge(evidence: Evidence) -> Callable[..., Report]:
    """Judges the evidence on a target: ``judge(target, max_lsb=0, **bounds)``."""

    def make(
        target: Target,
        max_lsb: int = 0,
        *,
        with_truth: bool = True,
        preprocessing: Preprocessing | None = None,
        **bounds: float,
    ) -> Report:
        assert evidence.model is not None
        assert evidence.capture is not None
        verification = verify(
            evidence.model,
            evidence.capture,
            target.measure,
            (Fidelity(max_lsb=max_lsb), Accuracy(**bounds)),
            (lambda inputs: inputs[:, 0, :2]) if with_truth else None,
        )
        found = replace(evidence, preprocessing=preprocessing)
        return assemble.judged("tiny", target, target.default_engine, found, verification)

    return make

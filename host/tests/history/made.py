"""Reports and contexts as runs leave them, without a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.verdict import SCHEMA, Blocked, Fidelity, OperatorCost, Report, Size, Speed
from tinyhil.history.context import Context
from tinyhil.report import assemble, files

FLASH, INSTRUCTIONS = 10_203, 25_000.0
GCC = "arm-none-eabi-gcc 12.2.1"
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
COMMITS = ("a" * 40, "b" * 40, "c" * 40)


def report(*, flash: int = FLASH, instructions: float = INSTRUCTIONS, **changed: Any) -> Report:
    """A pass of a model on qemu-m4; ``changed`` are fields of the report."""
    made = Report(
        schema=SCHEMA,
        verdict="pass",
        summary="",
        recipe="tiny",
        target="qemu-m4",
        honest_about="instruction counts, never milliseconds",
        engine="compiled",
        kernels="bakenn 1.0.0, cmsis-nn",
        scheme="int8",
        ops=("FULLY_CONNECTED", "SOFTMAX"),
        forced=(),
        training=None,
        fidelity=Fidelity(
            passed=True,
            vectors=3,
            mismatches=0,
            max_lsb=0,
            tolerance_lsb=0,
            exhaustive=True,
            reference="tflite-micro 1",
            first_mismatches=(),
            search=None,
        ),
        litert=None,
        accuracy=None,
        points=None,
        size=Size(flash, 4_567, 89, {".text": flash}),
        instructions_per_inference=instructions,
        microseconds_per_inference=None,
        speed=Speed("instructions", instructions, instructions, instructions, 3),
        resources=None,
        operators=(
            OperatorCost("FULLY_CONNECTED", instructions - 1_000.0, 0),
            OperatorCost("SOFTMAX", 1_000.0, 1),
        ),
        measured_by="QEMU -icount shift=0",
        model_sha256="0a" * 32,
        project_sha256="1b" * 32,
        firmware_sha256="2c" * 32,
        tool_versions={"arm-none-eabi-gcc": GCC, "platformio": "6.2.0"},
        tool_sha256={},
        made_by="tinyhil 0.1.0",
        link={"vectors": 3},
        blocked=None,
        bisection=None,
        headline="Exact. Accuracy not judged",
        source_sha256="3d" * 32,
    )
    made = replace(made, **changed)
    return replace(made, summary=made.summary or assemble.summary(made))


def failed() -> Report:
    """A fail: one output of three is wrong."""
    wrong = Fidelity(False, 3, 1, 5, 0, True, "tflite-micro 1", (Mismatch(1, 0, 0, 2, 7, 5),), None)
    return report(verdict="fail", fidelity=wrong, headline="Failed")


def blocked(recipe: str = "tiny") -> Report:
    """A run that did not get as far as the quantized model."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("kernels", "scheme", "fidelity", "size", "instructions_per_inference", "speed", "model_sha256")
    )
    more: dict[str, Any] = dict.fromkeys(("project_sha256", "firmware_sha256"))
    return report(
        recipe=recipe,
        verdict="blocked",
        summary="no verdict: the port went away",
        headline="Blocked, no verdict",
        blocked=Blocked("PortLostError", "the port went away", "look at the cable", "", "TH-320"),
        ops=(),
        operators=(),
        tool_versions={},
        link={},
        **nothing,
        **more,
    )


def context(number: int = 0, **changed: Any) -> Context:
    """Of the run ``number``: an hour after the one before, of the next commit, in the end of the same."""
    said: dict[str, Any] = {
        "began": NOON + timedelta(hours=number),
        "seconds": 1.5,
        "host": "box",
        "commit": COMMITS[min(number, len(COMMITS) - 1)],
        "branch": "main",
        "dirty": False,
    }
    return Context(**{**said, **changed})


def text(number: int = 0, **changed: Any) -> str:
    """The text of a report.json."""
    return files.to_json(report(flash=FLASH + number, **changed))

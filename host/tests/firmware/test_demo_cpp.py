"""lib/demo over an engine of its own: numbers without printf, the sweep, the LED."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pytest

from tinyhil.affine import DType, TensorSpec

X = TensorSpec("x", DType.INT8, (1,), 0.0625, -3)
Y = TensorSpec("y", DType.INT8, (1,), 0.03125, 10)
LINE = re.compile(r"(\d+) x:(-?\d+\.\d{4}) y:(-?\d+\.\d{4})")


def run(driver: Path, *commands: str) -> list[str]:
    done = subprocess.run([str(driver)], input="\n".join(commands), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def numbers(driver: Path, values: list[float]) -> list[str]:
    return run(driver, *(f"number {struct.unpack('<I', struct.pack('<f', value))[0]:x}" for value in values))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (1.0, "1.0000"),
        (-1.0, "-1.0000"),
        (0.00004, "0.0000"),
        (-0.00004, "0.0000"),
        (0.00006, "0.0001"),
        (-0.00006, "-0.0001"),
        (0.99996, "1.0000"),
        (3.14159274, "3.1416"),
        (199999.5, "199999.5000"),
        (2e5, "200000.0000"),
        (-3e38, "-200000.0000"),
        (float("inf"), "200000.0000"),
        (float("-inf"), "-200000.0000"),
    ],
)
def test_number(demo_driver: Path, value: float, text: str) -> None:
    assert numbers(demo_driver, [value]) == [text]


def printed(value: float) -> str:
    return str(Decimal(value).quantize(Decimal("0.0001"), ROUND_HALF_UP))


def test_numbers_are_rounded_to_four_decimals(demo_driver: Path) -> None:
    """As far as a float goes: its own product with 10,000 may fall on the other side of a half."""
    dice = random.Random(1)
    values = [float(np.float32(dice.uniform(-10, 10))) for _ in range(5000)]
    for value, text in zip(values, numbers(demo_driver, values), strict=True):
        assert re.fullmatch(r"-?\d+\.\d{4}", text)
        near_a_half = abs(abs(Decimal(value) * 10000) % 1 - Decimal("0.5")) < Decimal("0.001")
        assert text == printed(value) or (near_a_half and abs(Decimal(text) - Decimal(value)) < Decimal("0.0000501"))


def minus(x: float) -> tuple[float, int]:
    """What the engine answers: y, and how bright that is."""
    quantized = int(X.quantize(x))
    y = float(Y.dequantize(np.clip(10 - 2 * (quantized + 3), -128, 127)))
    return y, int(np.clip((y + 1) * 127.5, 0, 255))


@pytest.mark.parametrize(
    ("start", "step", "steps"), [(-2.0, 0.25, 16), (0.0, 0.0625, 65), (-20.0, 0.5, 55), (1.0, 1.0, 1)]
)
def test_the_sweep(demo_driver: Path, start: float, step: float, steps: int) -> None:
    count = 2 * steps + 3
    lines = run(demo_driver, f"demo {start} {step} {steps} {count}")
    assert len(lines) == count
    for at, line in enumerate(lines):
        x = start + at % steps * step
        y, brightness = minus(x)
        assert LINE.fullmatch(line)
        assert line == f"{brightness} x:{printed(x)} y:{printed(y)}"


def test_an_inference_that_fails_shows_nothing(demo_driver: Path) -> None:
    failing = float(X.dequantize(100))
    lines = run(demo_driver, f"demo {failing - 0.25} 0.125 4 8")
    shown = [failing - 0.25, failing - 0.125, failing + 0.125]
    assert [LINE.fullmatch(line)[2] for line in lines] == [printed(x) for x in shown * 2]  # type: ignore[index]

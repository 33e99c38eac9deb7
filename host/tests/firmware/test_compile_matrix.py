"""Every device source, compiled as the real cores compile it (cores.py), over the fakes of core and library.

The fakes of TensorFlow Lite Micro were held by hand against the headers of Chirale_TensorFLowLite 2.0.0 on 2026-11-30:
the same engine, model library and templates compiled against both by arm-none-eabi-g++ 12.2, without a warning.

On that day every unit of the rendered projects, with both engines, was compiled against the real headers and with the
real flags as well, without a warning: arduino-esp32 2.0.17 (esp32, esp32s3, esp32c3, on UART and USB, nano-esp32),
ArduinoCore-mbed 4.6.0 (nano33ble, nano-rp2040, pico, portenta), and ESP-IDF 5.1 with esp-tflite-micro (esp32-idf). One
warning has to be off for the C3, of gcc 11 and later about FreeRTOS' own portmacro.h; the core's gcc is 8.4.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.config.recipe import Demo
from tinyhil.render import LIBRARY, arena, render
from tinyhil.targets import registry
from tinyhil.targets.model import Chip, Target

from . import cores, matrix
from .cores import CORES, FACTORS, PAIRS, Row

Rendered = Callable[[str, str], Path]

SKETCH = matrix.FIRMWARE.parent / "examples/own-firmware/src/main.cpp"
QUICK = ("esp32c3 2.0", "nano33ble")
"""The rows of every test run: the other compiler's, with exceptions and without."""
SKETCHES = {
    path.stem
    for path in registry.SHIPPED.glob("*.toml")
    if (target := registry.get(path.stem)).build is not None and target.compiles.framework
}
TURN = Demo(start=0.0, end=1.0, steps=8)


@pytest.fixture(scope="session")
def rendered(
    two_operators: bytes,
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    tmp_path_factory: pytest.TempPathFactory,
) -> Rendered:
    """The project of a target and an engine; where that is tflm, with a demo and the largest arena of the target.

    Beside it, in the folder ``library``, the same as a library.
    """
    made: dict[tuple[str, str], Path] = {}
    folder = tmp_path_factory.mktemp("matrix")
    model = quantized_model(folder, two_operators)
    one = [(replace(side[0], shape=(1, 1)),) for side in (model.inputs, model.outputs)]
    shown = replace(model, inputs=one[0], outputs=one[1])

    def make(name: str, engine: str) -> Path:
        if (name, engine) not in made:
            made[name, engine] = _render(registry.get(name), engine, folder / f"{name}-{engine}")
        return made[name, engine]

    def _render(target: Target, engine: str, place: Path) -> Path:
        if target.compiles.library:
            render(model, target, engine, place / "library", form=LIBRARY)
        if engine == "compiled":
            return render(model, target, engine, place / "project")[0].folder
        size = arena.most(target.engines[engine], target.chip)
        return render(shown, target, engine, place / "project", TURN, arena_bytes=size)[0].folder

    return make


def require(row: Row) -> None:
    if shutil.which(row.program) is None:
        pytest.skip(f"blocked: {row.program} is not installed; tools/system-packages emulators installs it")


def check(row: Row, rendered: Rendered, tmp_path: Path, *, small: bool) -> int:
    """Compiles everything by a row; returns how many sources that were."""
    require(row)
    target = registry.get(row.target)
    outcomes = [matrix.compile_kernels(row)]
    for engine in target.engines:
        objects = tmp_path / engine if small else None
        if objects is not None:
            objects.mkdir()
        project = rendered(row.target, engine)
        outcomes.append(matrix.compile_project(row, project, objects))
        if target.compiles.library and (engine == target.default_engine or not small):
            outcomes.append(matrix.compile_library(row, project.with_name("library") / "tinyhil", SKETCH))
        if objects is not None:
            assert 0 < matrix.static_bytes(objects) <= target.chip.static_ram
    assert "".join(outcome.said for outcome in outcomes) == ""
    return sum(outcome.sources for outcome in outcomes)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.name, marks=() if row.name in QUICK else pytest.mark.long) for row in CORES],
)
def test_it_compiles_as_a_core_does(row: Row, rendered: Rendered, tmp_path: Path) -> None:
    """Optimised, so that warnings that take it show, and the variables are counted against the target's RAM."""
    assert check(row, rendered, tmp_path, small=True) > 20


@pytest.mark.long
@pytest.mark.parametrize("row", PAIRS, ids=lambda row: row.name)
def test_it_compiles_in_every_pair_of_ways(row: Row, rendered: Rendered, tmp_path: Path) -> None:
    assert check(row, rendered, tmp_path, small=False) > 20


@pytest.mark.long
@pytest.mark.parametrize("ways", [("gnu++11", "-fno-exceptions", "-fno-rtti"), ("gnu++2b", "-fexceptions", "-frtti")])
@pytest.mark.parametrize("name", sorted(registry.paths().keys() - SKETCHES - {"sim"}))
def test_the_ports_without_a_framework_compile(name: str, ways: tuple[str, ...]) -> None:
    target = registry.get(name)
    if missing := [program.name for program in target.compiles.programs if shutil.which(program.name) is None]:
        pytest.skip(f"blocked: {', '.join(missing)} is not installed; tools/system-packages emulators installs it")
    outcome = matrix.compile_ports(target, (f"-std={ways[0]}", *ways[1:], "-funsigned-char"))
    assert outcome.said == ""
    assert outcome.sources > 0


def test_the_rows_cover_what_they_are_to_cover() -> None:
    met = {frozenset(pair) for row in PAIRS for pair in itertools.combinations((*row.name.split(),), 2)}
    for left, right in itertools.combinations(FACTORS, 2):
        assert {frozenset(pair) for pair in itertools.product(left, right)} <= met
    assert all(row.source for row in CORES)
    families = {registry.get(name).compiles.flags for name in SKETCHES - {"qemu-esp32", "nano-esp32"}}
    compiled = {registry.get(row.target).compiles.flags for row in CORES}
    # Boards whose macros differ in the pin of an LED only need no row of their own.
    assert {without_pin(flags) for flags in families} <= {without_pin(flags) for flags in compiled}


def without_pin(flags: tuple[str, ...]) -> frozenset[str]:
    return frozenset(flag for flag in flags if "TINYHIL_LED" not in flag)


def row_of(name: str) -> Row:
    (row,) = (row for row in CORES if row.name == name)
    return row


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "said"),
    [
        pytest.param(
            "esp32c3 2.0",
            "lib/tinyhil_engine/tflm/engine_tflm.cpp",
            "  void operator delete(void*) {}\n\n private:\n",
            "\n private:\n  void operator delete(void*) {}\n",
            "is private within this context",
            id="a private operator delete",
        ),
        pytest.param(
            "nano33ble",
            "lib/tinyhil_port/arduino/port_arduino.cpp",
            "uint8_t window() {",
            "struct Limits {\n  static int max();\n};\nuint8_t window() {",
            'macro "max" requires 2 arguments',
            id="a max without brackets",
        ),
        pytest.param(
            "nano33ble",
            "lib/tinyhil_engine/tflm/engine_tflm.cpp",
            "#pragma GCC diagnostic push",
            "#include <Arduino.h>\n#pragma GCC diagnostic push",
            "fake_tflm.h",
            id="an abs before the library's headers",
        ),
        pytest.param(
            "esp32c3 2.0",
            "src/app.cpp",
            "namespace {\n",
            "namespace {\n\nconst uint8_t next(uint8_t step) { return step; }\n",
            "-Werror",
            id="a warning",
        ),
    ],
)
def test_a_planted_fault_is_found(
    name: str, file: str, old: str, new: str, said: str, rendered: Rendered, tmp_path: Path
) -> None:
    row = row_of(name)
    require(row)
    project = tmp_path / "project"
    shutil.copytree(rendered(row.target, "tflm"), project)
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))
    assert said in matrix.compile_project(row, project).said


def test_a_planted_array_is_over_the_limit(rendered: Rendered, tmp_path: Path) -> None:
    """One byte more than the target has left, whoever takes it."""
    row = row_of("esp32 2.0")
    require(row)
    limit = registry.get(row.target).chip.static_ram
    project = tmp_path / "project"
    shutil.copytree(rendered(row.target, "tflm"), project)
    sizes: list[int] = []
    for extra in (0, 1):
        objects = tmp_path / str(extra)
        objects.mkdir()
        with (project / "src/app.cpp").open("a") as stream:
            stream.write(f"\nuint8_t planted{extra}[{limit - sizes[0] + 1}];\n" if sizes else "")
        assert matrix.compile_project(row, project, objects).said == ""
        sizes.append(matrix.static_bytes(objects))
    assert sizes[0] <= limit < sizes[1]


def test_the_engine_refuses_an_arena_over_the_limit(rendered: Rendered, tmp_path: Path) -> None:
    row = row_of("nano33ble")
    require(row)
    project = tmp_path / "project"
    shutil.copytree(rendered(row.target, "tflm"), project)
    header = project / "lib/model/model_tflm.h"
    chip: Chip = msgspec.structs.replace(registry.get(row.target).chip, static_ram_bytes=65536)
    header.write_text(
        header.read_text().replace(
            f"kStaticRamBytes = {registry.get(row.target).chip.static_ram}", f"kStaticRamBytes = {chip.static_ram}"
        )
    )
    assert "less room for static data than the arena takes" in matrix.compile_project(row, project).said


def test_every_row_has_a_compiler_that_is_known() -> None:
    assert {row.compiler for row in (*CORES, *PAIRS)} == set(cores.COMPILERS)

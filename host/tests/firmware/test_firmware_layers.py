"""Which folder of the firmware may include which: link knows no engine, engine no link, only ports know hardware.

    sketch -> src, port, engine
    src -> server, port, demo     server -> link, engine     demo -> engine     link, engine, port, kernels -> nothing

The kernels are called by what is generated for a model alone.

An engine may include the header that was rendered for its model, and nobody else may; and the engine tflm may include
the headers of its library. What a folder includes between angle brackets is the C library's and has to be free of
hardware too.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ALLOWED = {
    "sketch": {"sketch", "src", "port", "engine"},
    "src": {"src", "server", "port", "demo"},
    "demo": {"demo", "engine"},
    "server": {"server", "link", "engine"},
    "link": {"link"},
    "engine": {"engine"},
    "port": {"port"},
    "kernels": {"kernels"},
}
# Rendered with a project: their names are fixed, and so is who may know them.
RENDERED = {"tinyhil_config.h": {"src"}, "chain.h": {"engine"}, "model_tflm.h": {"engine"}}
C_LIBRARY = {"stddef.h", "stdint.h", "string.h"}
# setup() and loop() have the linkage that the framework's header gives them.
FRAMEWORK = {"src/sketch.cpp": "Arduino.h"}
# The one engine that comes from a library, in C++, knows that library's headers, and how to construct in place.
TFLM = Path("lib", "engine", "tflm")
TFLM_HEADERS = re.compile(r"tensorflow/lite/|new$")
# Without these words nothing reaches a register.
HARDWARE = re.compile(r"\bvolatile\b|\basm\b|\b__asm")
# A kernel may name an instruction that computes, but without `volatile`, by which it would reach a register.
VOLATILE = re.compile(r"\bvolatile\b|__volatile__")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def _sources(firmware: Path) -> dict[Path, str]:
    """Every source file and the name of its folder: a library, or src."""
    found = {}
    for path in sorted([*(firmware / "lib").rglob("*"), *(firmware / "src").rglob("*")]):
        if path.suffix in (".h", ".hpp", ".c", ".cc", ".cpp", ".ino"):
            parts = path.relative_to(firmware).parts
            found[path] = "src" if parts[0] == "src" else parts[1]
    return found


def violations(firmware: Path) -> list[str]:
    """One line for each include, and each touch of hardware, that the floors forbid."""
    sources = _sources(firmware)
    homes: dict[str, set[str]] = {}
    for path, home in sources.items():
        homes.setdefault(path.name, set()).add(home)
    wrong = []
    for path, home in sources.items():
        where = path.relative_to(firmware)
        text = path.read_text(encoding="utf-8")
        if home not in ALLOWED:
            wrong.append(f"{where}: {home} has no floor")
            continue
        for bracket, name in INCLUDE.findall(text):
            target = Path(name).name
            if where.parent == TFLM and TFLM_HEADERS.match(name):
                continue
            if bracket == "<":
                if name not in C_LIBRARY and home != "port" and FRAMEWORK.get(where.as_posix()) != name:
                    wrong.append(f"{where}: includes <{name}>")
            elif target in RENDERED:
                if home not in RENDERED[target]:
                    wrong.append(f"{where}: includes {name}")
            elif not homes.get(target, {"unknown"}) <= ALLOWED[home]:
                wrong.append(f"{where}: includes {name}")
        forbidden = VOLATILE if home == "kernels" else HARDWARE
        if home != "port" and forbidden.search(re.sub(r"//.*", "", text)):
            wrong.append(f"{where}: touches hardware")
    return wrong


def test_the_floors_hold(firmware: Path) -> None:
    assert {"src", "server", "demo", "link", "engine", "port"} <= set(_sources(firmware).values())
    assert violations(firmware) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("lib/link/frames.cpp", '#include "engine.h"'),
        ("lib/link/messages.h", '#include "server.h"'),
        ("lib/link/crc32.cpp", '#include "port.h"'),
        ("lib/link/cobs.h", '#include "../engine/engine.h"'),
        ("lib/link/cobs.h", "#include <Arduino.h>"),
        ("lib/engine/engine.h", '#include "messages.h"'),
        ("lib/engine/compiled/engine_compiled.cpp", '#include "port.h"'),
        ("lib/engine/compiled/engine_compiled.cpp", '#include "tinyhil_config.h"'),
        ("lib/engine/compiled/engine_compiled.cpp", '#include "tensorflow/lite/c/common.h"'),
        ("lib/engine/compiled/engine_compiled.cpp", "#include <new>"),
        ("lib/engine/tflm/engine_tflm.cpp", "#include <newlib.h>"),
        ("lib/engine/tflm/engine_tflm.cpp", "#include <Arduino.h>"),
        ("lib/server/server.cpp", '#include "model_tflm.h"'),
        ("lib/server/server.cpp", '#include "port.h"'),
        ("lib/server/server.cpp", '#include "chain.h"'),
        ("lib/server/server.cpp", '#include "unheard_of.h"'),
        ("lib/server/server.h", "volatile int* const uart = (int*)0x40004000;"),
        ("lib/port/port.h", '#include "frames.h"'),
        ("lib/port/mps2/port_mps2.cpp", '#include "engine.h"'),
        ("src/app.cpp", '#include "engine.h"'),
        ("src/app.cpp", "#include <Arduino.h>"),
        ("src/sketch.cpp", "#include <WiFi.h>"),
        ("lib/demo/demo.cpp", '#include "frames.h"'),
        ("lib/demo/demo.cpp", '#include "port.h"'),
        ("lib/demo/demo.h", '#include "tinyhil_config.h"'),
        ("lib/kernels/fixed_point.h", '#include "engine.h"'),
        ("lib/kernels/fixed_point.h", 'inline void f() { __asm__ volatile("cpsid i"); }'),
        ("lib/engine/engine.h", '#include "demo.h"'),
        ("lib/sketch/tinyhil.cpp", '#include "server.h"'),
        ("src/app.cpp", '#include "tinyhil.h"'),
    ],
)
def test_a_planted_line_is_found(firmware: Path, tmp_path: Path, file: str, line: str) -> None:
    for part in ("lib", "src"):
        shutil.copytree(firmware / part, tmp_path / part)
    planted = tmp_path / file
    planted.write_text(f"{line}\n{planted.read_text(encoding='utf-8')}", encoding="utf-8")
    assert len(violations(tmp_path)) == 1
    assert violations(tmp_path)[0].startswith(file)


def test_a_new_library_needs_a_floor(firmware: Path, tmp_path: Path) -> None:
    for part in ("lib", "src"):
        shutil.copytree(firmware / part, tmp_path / part)
    (tmp_path / "lib" / "extra").mkdir()
    (tmp_path / "lib" / "extra" / "extra.h").write_text("")
    assert violations(tmp_path) == ["lib/extra/extra.h: extra has no floor"]

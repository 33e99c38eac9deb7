"""A small project of the layout that the render stage writes, with the real platform and compilers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.targets import registry
from tinyhil.targets.model import Build

PLATFORM = Path(__file__).parents[3] / "firmware" / "platform"

FILES = {
    "platformio.ini": """\
[platformio]
platforms_dir = platforms

[env:sample]
platform = tinyhil
board = mps2_an386
lib_ldf_mode = chain
build_flags = -g
build_src_flags = -Wall -Wextra -Werror
""",
    "include/tinyhil_config.h": '#define GREETING "hello\\n"\n',
    "src/main.cpp": """\
#include "engine.h"
#include "port.h"
#include "tinyhil_config.h"

const char* built = __DATE__ __TIME__ __FILE__;

int main() {
  for (const char* c = GREETING; *c != 0; ++c) port_write(*c);
  for (const char* c = built; *c != 0; ++c) port_write(*c);
  for (;;) port_write(engine_run(0));
}
""",
    # The engine includes the model's header and the model the engine's, as the compiled engine does. PlatformIO finds
    # only the first by itself, so the model declares the second.
    "lib/tinyhil_engine/library.json": """\
{"name": "tinyhil_engine", "version": "1.0.0", "build": {"flags": ["-Wall", "-Wextra", "-Werror"], "libArchive": false}}
""",
    "lib/tinyhil_engine/engine.h": "#pragma once\nint engine_run(int x);\nextern const int engine_size;\n",
    "lib/tinyhil_engine/compiled/engine.cpp": """\
#include "engine.h"
#include "model.h"
#ifndef __cplusplus
#error "not C++"
#endif
#if __cplusplus != 201103L
#error "not C++11"
#endif
int engine_run(int x) { return model_run(x); }
""",
    "lib/model/library.json": """\
{"name": "model", "version": "1.0.0", "dependencies": {"tinyhil_engine": "*"},
 "build": {"flags": ["-w"], "libArchive": false}}
""",
    "lib/model/model.h": """\
#ifdef __cplusplus
extern "C"
#endif
int model_run(int x);
""",
    "lib/model/model.c": """\
#include "model.h"
#if __STDC_VERSION__ != 201112L
#error "not C11"
#endif
static int unused_function(int unused) { int also_unused; return 0; }
int model_run(int x) { unsigned y = 0; return x < y ? 1 : 2; }
""",
    "lib/model/info.cpp": '#include "engine.h"\nextern const int engine_size = 3;\n',
    "lib/tinyhil_port/library.json": """\
{"name": "tinyhil_port", "version": "1.0.0", "build": {"flags": ["-Wall", "-Wextra", "-Werror"], "libArchive": false}}
""",
    "lib/tinyhil_port/port.h": "#pragma once\nvoid port_write(int c);\n",
    "lib/tinyhil_port/mps2/port.cpp": """\
#include "port.h"
#include <stdint.h>
extern "C" uint32_t stack_top;
extern "C" void reset_handler();
int main();
extern "C" void reset_handler() { main(); for (;;) {} }
__attribute__((section(".vectors"), used)) const void* const vectors[] = {
    &stack_top, reinterpret_cast<const void*>(&reset_handler)};
void port_write(int c) { *reinterpret_cast<volatile int*>(0x40004000) = c; }
""",
    "lib/tinyhil_port/mps2/mps2_an386.ld": """\
ENTRY(reset_handler)
MEMORY {
  FLASH (rx) : ORIGIN = 0, LENGTH = 4M
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M
}
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
  .data : { *(.data*) } > RAM AT > FLASH
  .bss (NOLOAD) : { *(.bss*) *(COMMON) } > RAM
  stack_top = ORIGIN(RAM) + LENGTH(RAM);
}
""",
}


@pytest.fixture(scope="session")
def write_project() -> Callable[[Path], Path]:
    """Writes the sample project into a folder and returns that."""

    def write(folder: Path) -> Path:
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        shutil.copytree(PLATFORM, folder / "platforms" / "tinyhil")
        return folder

    return write


@pytest.fixture(scope="session")
def needs() -> Build:
    """What the shipped target on this platform says about its build; skips where a program is not installed."""
    build = registry.get("qemu-m4").build
    assert build is not None
    for program in build.programs:
        if shutil.which(program.name) is None:
            pytest.skip(f"{program.name} is not installed: apt-get install {program.debian}")
    return build


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for the whole run, so that the user's own is not touched."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

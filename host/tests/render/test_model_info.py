"""What the firmware says of its model, read back by a program that a real compiler makes of it."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil import resources
from tinyhil.affine import DType, TensorSpec
from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.render import render
from tinyhil.targets.model import Target

FLAGS = ["-std=gnu++11", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti"]
NAME_BYTES = 63
"""docs/protocol.md, TENSOR."""

NAMES = [
    "serving_default_x:0",
    "quote \" and ' and back\\slash",
    "line\nfeed\r\ttab\x0b\x7f",
    "\n1 digit after an escape \x1f8",
    "??/ trigraph ??= %s %d",
    "Würfel 立方体 \U0001f3b2",
    "\\",
    '"',
    "",
    "/* comment */ // comment",
    "*/ #include <nothing>",
    "x" * NAME_BYTES,
    "x" * (NAME_BYTES + 1),
    "x" * (NAME_BYTES - 1) + "ü",  # the limit falls into a character
    "立" * NAME_BYTES,
]

READER = r"""
#include <stdio.h>
#include <string.h>
#include "engine.h"

using namespace tinyhil;

static void hex(const void* data, size_t length) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  putchar('"');
  for (size_t i = 0; i < length; ++i) printf("%02x", bytes[i]);
  putchar('"');
}

static void show(const TensorInfo* tensors, int count) {
  putchar('[');
  for (int i = 0; i < count; ++i) {
    const TensorInfo& tensor = tensors[i];
    printf(i ? ",[" : "[");
    hex(tensor.name, strlen(tensor.name));
    printf(",%d,[", static_cast<int>(tensor.dtype));
    for (int axis = 0; axis < tensor.rank; ++axis) printf(axis ? ",%u" : "%u", tensor.dims[axis]);
    printf("],");
    hex(&tensor.scale, sizeof(tensor.scale));
    printf(",%d,%u]", tensor.zero_point, tensor.bytes);
  }
  putchar(']');
}

int main() {
  putchar('[');
  hex(kModelInfo.model_sha256, 32);
  putchar(',');
  hex(kModelInfo.project_sha256, 32);
  putchar(',');
  hex(kModelInfo.engine, strlen(kModelInfo.engine));
  putchar(',');
  show(kModelInfo.input, kModelInfo.inputs);
  putchar(',');
  show(kModelInfo.output, kModelInfo.outputs);
  puts("]");
}
"""


def compiler(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    info = project.folder / "src" / "model_info.cpp"
    # The header as it is in the repository, which the project's copy has to equal.
    include = f"-I{resources.folder('firmware') / 'lib' / 'engine'}"
    return subprocess.run(["g++", *FLAGS, include, *arguments, str(info)], capture_output=True, text=True)


def scales() -> list[float]:
    """float32 numbers: the ends of their range, and one of each magnitude with random digits; 0 is for no scale."""
    source = random.Random(3)
    patterns = [0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x3F800000, 0x3F7FFFFF]
    patterns += [exponent << 23 | source.getrandbits(23) for exponent in range(0, 255, 2)]
    return [struct.unpack("<f", struct.pack("<I", pattern))[0] for pattern in patterns]


def specs() -> tuple[TensorSpec, ...]:
    """Tensors of all names, scales, types, ranks and extreme zero points."""
    made = []
    for index, scale in enumerate(scales()):
        dtype = list(DType)[index % len(DType)]
        limits = (0, 0) if dtype is DType.FLOAT32 else dtype.limits
        shape = tuple(1 + (index + axis) % 4 for axis in range(1 + index % 6))
        made.append(TensorSpec(NAMES[index % len(NAMES)], dtype, shape, scale, limits[index // 5 % 2]))
    return tuple(made)


def as_read(spec: TensorSpec) -> list[object]:
    name = spec.name.encode()
    while len(name) > NAME_BYTES or not _is_whole(name):
        name = name[:-1]
    return [
        name.hex(),
        spec.dtype.value,
        list(spec.shape),
        np.float32(spec.scale).tobytes().hex(),
        spec.zero_point,
        spec.nbytes,
    ]


def _is_whole(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_it_compiles_without_a_warning(project: Project) -> None:
    done = compiler(project, "-fsyntax-only")
    assert (done.returncode, done.stderr) == (0, "")
    header = (project.folder / "lib" / "tinyhil_engine" / "engine.h").read_bytes()
    assert header == (resources.folder("firmware") / "lib" / "engine" / "engine.h").read_bytes()


def test_everything_reads_back_as_it_was(model: QuantizedModel, qemu_m4: Target, tmp_path: Path) -> None:
    inputs = specs()
    outputs = tuple(replace(spec, name=name) for spec, name in zip(inputs, NAMES, strict=False))
    assert 128 <= len(inputs) <= 255
    assert {spec.name for spec in inputs} == set(NAMES)
    made, _ = render(replace(model, inputs=inputs, outputs=outputs), qemu_m4, "compiled", tmp_path / "project")
    (tmp_path / "reader.cpp").write_text(READER)
    done = compiler(made, "-o", str(tmp_path / "reader"), str(tmp_path / "reader.cpp"))
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(subprocess.run([tmp_path / "reader"], capture_output=True, text=True, check=True).stdout)
    assert said[:3] == [model.sha256, made.sha256, b"compiled".hex()]
    for spec, read in zip(inputs + outputs, said[3] + said[4], strict=True):
        assert read == as_read(spec)

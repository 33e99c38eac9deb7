"""Reading a model file: a real one, and everything that is not one.

The model is made here with the schema's own object interface; no interpreter and no TensorFlow is involved.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.affine import DType, TensorSpec
from tinyhil.errors import ModelError

Build = Callable[..., bytes]
Edit = Callable[[Any], object]

INPUT = TensorSpec("in", DType.INT8, (1, 3), 0.5, -3)
OUTPUT = TensorSpec("out", DType.INT8, (1, 2), 0.75, 4)
FACTS = tflite.ModelFacts((INPUT,), (OUTPUT,), ("FULLY_CONNECTED",))


def edit_input(**changes: Any) -> Edit:
    """Sets attributes of the input tensor, or of its quantization."""

    def edit(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[0]
        for name, value in changes.items():
            setattr(tensor if hasattr(tensor, name) else tensor.quantization, name, value)

    return edit


def test_a_model_is_read(tiny_model: bytes) -> None:
    assert tflite.read(tiny_model, "model.tflite") == FACTS


def test_several_inputs_outputs_and_operators(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.inputs, graph.outputs = [0, 3], [3, 0]
        graph.operators.append(graph.operators[0])
        model.operatorCodes.append(schema.OperatorCodeT(builtinCode=200, deprecatedBuiltinCode=127, version=1))
        graph.operators.append(schema.OperatorT(opcodeIndex=1, inputs=[3, -1], outputs=[3]))

    facts = tflite.read(build_tflite(edit), "model.tflite")
    assert (facts.inputs, facts.outputs) == ((INPUT, OUTPUT), (OUTPUT, INPUT))
    # An operator beyond the first 127 has its code in another field.
    beyond = [name for name, code in vars(schema.BuiltinOperator).items() if code == 200]
    assert facts.ops == ("FULLY_CONNECTED", "FULLY_CONNECTED", beyond[0])


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (schema.TensorType.INT8, DType.INT8),
        (schema.TensorType.UINT8, DType.UINT8),
        (schema.TensorType.INT16, DType.INT16),
        (schema.TensorType.INT32, DType.INT32),
    ],
)
def test_integer_tensors_with_and_without_quantization(build_tflite: Build, kind: int, dtype: DType) -> None:
    lowest, highest = dtype.limits
    for zero_point in (lowest, highest):
        data = build_tflite(edit_input(type=kind, scale=[0.1], zeroPoint=[zero_point]))
        expected = TensorSpec("in", dtype, (1, 3), float(np.float32(0.1)), zero_point)
        assert tflite.read(data, "m").inputs == (expected,)
    for nothing in (None, schema.QuantizationParametersT()):
        data = build_tflite(edit_input(type=kind, quantization=nothing))
        assert tflite.read(data, "m").inputs == (TensorSpec("in", dtype, (1, 3), 0.0, 0),)


def test_a_float_tensor(build_tflite: Build) -> None:
    data = build_tflite(edit_input(type=schema.TensorType.FLOAT32, quantization=None))
    assert tflite.read(data, "m").inputs == (TensorSpec("in", DType.FLOAT32, (1, 3), 0.0, 0),)


def test_a_custom_operator_is_named(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        code = schema.BuiltinOperator.CUSTOM
        model.operatorCodes = [schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, customCode="MyOp")]

    assert tflite.read(build_tflite(edit), "m").ops == ("CUSTOM(MyOp)",)


def test_an_unknown_operator_is_numbered(build_tflite: Build) -> None:
    def edit(model: Any) -> None:
        model.operatorCodes[0].builtinCode = 100_000

    assert tflite.read(build_tflite(edit), "m").ops == ("BUILTIN_100000",)


def _set(path: str, value: Any) -> Edit:
    """Sets one field: ``subgraphs.0.inputs``."""

    def edit(model: Any) -> None:
        *parents, last = path.split(".")
        at = model
        for name in parents:
            at = at[int(name)] if name.isdigit() else getattr(at, name)
        if last.isdigit():
            at[int(last)] = value
        else:
            setattr(at, last, value)

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_set("version", 2), "schema version 2, known is 3"),
        (_set("subgraphs", []), "0 subgraphs"),
        (lambda model: model.subgraphs.append(model.subgraphs[0]), "2 subgraphs"),
        (_set("subgraphs.0.operators", []), "1 inputs, 1 outputs and 0 operators"),
        (_set("subgraphs.0.inputs", []), "0 inputs"),
        (_set("subgraphs.0.outputs", []), "0 outputs"),
        # shapes
        (edit_input(shape=[-1, 3]), "'in' has a dynamic shape"),
        (edit_input(shape=[0, 3]), "'in' has a dynamic shape"),
        (edit_input(shapeSignature=[-1, 3]), "'in' has a dynamic shape"),
        (edit_input(shape=[]), "'in' has the shape ()"),
        (edit_input(shape=[1] * 7), "'in' has the shape (1, 1, 1, 1, 1, 1, 1)"),
        (edit_input(shape=[2**31 - 1] * 6), "'in' has the shape (2147483647, "),
        # types and quantization
        (edit_input(type=schema.TensorType.INT64), "element type int64"),
        (edit_input(type=schema.TensorType.STRING), "element type string"),
        (edit_input(scale=[0.5, 0.25], zeroPoint=[0, 0]), "'in' is quantized per channel"),
        (edit_input(scale=[float("nan")]), "scale nan"),
        (edit_input(scale=[float("inf")]), "scale inf"),
        (edit_input(scale=[-0.5]), "scale -0.5"),
        (edit_input(scale=[0.0]), "scale 0"),
        (edit_input(zeroPoint=[128]), "zero point 128"),
        (edit_input(zeroPoint=[-129]), "zero point -129"),
        (edit_input(type=schema.TensorType.FLOAT32), "scale 0.5"),
        # what names something that does not exist
        (_set("subgraphs.0.inputs", [4]), "damaged"),
        (_set("subgraphs.0.outputs", [-1]), "damaged"),
        (_set("subgraphs.0.tensors.1.buffer", 3), "damaged"),
        (_set("subgraphs.0.operators.0.opcodeIndex", 1), "damaged"),
        (_set("subgraphs.0.operators.0.inputs", [0, 1, 4]), "damaged"),
        (_set("subgraphs.0.operators.0.inputs", [0, 1, -2]), "damaged"),
        (_set("subgraphs.0.operators.0.outputs", [-1]), "damaged"),
        (_set("operatorCodes", []), "damaged"),
    ],
)
def test_a_model_that_cannot_be_used_is_named_with_its_fault(build_tflite: Build, edit: Edit, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        tflite.read(build_tflite(edit), "folder/model.tflite")
    assert words in caught.value.message
    assert caught.value.message.startswith("folder/model.tflite")


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\x1c\0\0\0TFL", b"PK\x03\x04 not a model", b"\0" * 64])
def test_what_is_no_model_at_all(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"model\.h5 is not a TensorFlow Lite model") as caught:
        tflite.read(data, "model.h5")
    assert caught.value.hint == "export a .tflite file"


def test_what_is_too_large_for_any_microcontroller(tiny_model: bytes) -> None:
    largest = tiny_model + bytes(tflite.MAX_BYTES - len(tiny_model))
    assert tflite.read(largest, "m") == FACTS
    with pytest.raises(ModelError, match=f"has {tflite.MAX_BYTES + 1} bytes"):
        tflite.read(largest + b"\0", "m")


def test_every_truncation_is_noticed(tiny_model: bytes) -> None:
    for length in range(len(tiny_model)):
        with pytest.raises(ModelError, match="not a TensorFlow Lite model" if length < 8 else "damaged or truncated"):
            tflite.read(tiny_model[:length], "m")


def damaged(data: bytes, source: random.Random) -> bytes:
    """One to four bytes of it are others."""
    copy = bytearray(data)
    for _ in range(source.randint(1, 4)):
        copy[source.randrange(len(copy))] ^= source.randint(1, 255)
    return bytes(copy)


def test_damage_is_noticed_or_harmless_and_never_a_crash(tiny_model: bytes) -> None:
    """Any other exception fails the test; what is read of a damaged file has to make sense all the same."""
    source = random.Random(2)
    read = 0
    for _ in range(4000):
        data = damaged(tiny_model, source)
        try:
            facts = tflite.read(data, "m")
        except ModelError:
            continue
        read += 1
        schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))  # every table of it lies in the file
        for spec in facts.inputs + facts.outputs:
            assert 1 <= len(spec.shape) <= tflite.MAX_RANK
            assert 1 <= spec.elements <= tflite.MAX_BYTES
            assert spec.scale == 0.0 or (0.0 < spec.scale < float("inf") and spec.dtype is not DType.FLOAT32)
            if spec.quantized:
                lowest, highest = spec.dtype.limits
                assert lowest <= spec.zero_point <= highest
    assert 0 < read < 4000

"""Faults in a model's numbers: each changes what it names, is computable, and follows from the model alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.experiments.selftest import KINDS, Check, Fault, LeftOut
from tinyhil.experiments.selftest.numbers import number_faults, stale

Build = Callable[..., bytes]


def deeper(count: int) -> Callable[[Any], None]:
    """More layers behind the first, from 2 units to 2 each."""

    def edit(model: Any) -> None:
        graph = model.subgraphs[0]
        generator = np.random.default_rng(count)
        for number in range(count):
            taken = graph.outputs[0]
            scale = graph.tensors[taken].quantization.scale[0]
            added = [
                ("w", [2, 2], schema.TensorType.INT8, generator.integers(-127, 128, 4).astype("<i1"), 0.01),
                ("b", [2], schema.TensorType.INT32, generator.integers(-99, 99, 2).astype("<i4"), 0.01 * scale),
                ("a", [1, 2], schema.TensorType.INT8, None, 0.5),
            ]
            for name, shape, kind, data, size in added:
                buffer = 0
                if data is not None:
                    buffer = len(model.buffers)
                    model.buffers.append(schema.BufferT(data=list(data.tobytes())))
                quantization = schema.QuantizationParametersT(scale=[size], zeroPoint=[0])
                graph.tensors.append(
                    schema.TensorT(
                        name=f"{name}{number}", shape=shape, type=kind, buffer=buffer, quantization=quantization
                    )
                )
            last = len(graph.tensors) - 1
            options = schema.FullyConnectedOptionsT()
            if number % 2:
                options.fusedActivationFunction = schema.ActivationFunctionType.RELU
            graph.operators.append(
                schema.OperatorT(
                    opcodeIndex=0,
                    inputs=[taken, last - 2, last - 1],
                    outputs=[last],
                    builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
                    builtinOptions=options,
                )
            )
            graph.outputs = [last]

    return edit


def planned(data: bytes) -> list[Fault | LeftOut]:
    return list(number_faults(tflite.parse(data, "m"), tflite.unpack(data, "m"), Check.FIDELITY))


def faults(data: bytes) -> list[Fault]:
    return [each for each in planned(data) if isinstance(each, Fault)]


def planted(data: bytes, fault: Fault) -> bytes:
    assert fault.change is not None
    model = tflite.unpack(data, "m")
    fault.change(model)
    return tflite.pack(model)


def outputs(data: bytes) -> np.ndarray[Any, Any]:
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 16)
    generator = np.random.default_rng(0)
    collected = []
    for _ in range(200):
        interpreter.set_input(generator.integers(-128, 128, (1, 3)).astype(np.int8), 0)
        interpreter.invoke()
        collected.append(np.array(interpreter.get_output(0)))
    return np.stack(collected)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_fault_is_a_model_that_the_reference_computes_otherwise(build_tflite: Build, count: int) -> None:
    data = build_tflite(deeper(count))
    right = outputs(tflite.pack(tflite.unpack(data, "m")))
    np.testing.assert_array_equal(right, outputs(data))
    for fault in faults(data):
        changed = planted(data, fault)
        tflite.parse(changed, fault.name)
        if "off by one" not in fault.name:  # which may drown in rounding
            assert (outputs(changed) != right).any(), fault.name


def test_the_plan_follows_from_the_model(build_tflite: Build) -> None:
    data = build_tflite(deeper(3))
    names = [(each.kind, each.name) for each in faults(data)]
    assert names == [(each.kind, each.name) for each in faults(data)]
    assert len(set(names)) == len(names)
    assert {kind for kind, _ in names} <= set(KINDS)
    assert {"weight", "bias", "scale", "shift", "zero point", "activation", "swapped layers"} == {
        kind for kind, _ in names
    }


def test_a_deep_model_gets_faults_in_some_of_its_layers_among_them_the_ends(build_tflite: Build) -> None:
    named = {each.name.partition(":")[0] for each in faults(build_tflite(deeper(9))) if each.kind == "weight"}
    assert len(named) == 4
    assert {"layer 0 (FULLY_CONNECTED)", "layer 9 (FULLY_CONNECTED)"} <= named


def test_a_wrong_zero_point_inside_is_what_a_wrong_zero_point_computes(build_tflite: Build) -> None:
    """The second layer's bias, changed, computes what its input with the next zero point would."""
    data = build_tflite(deeper(1))
    fault = next(each for each in faults(data) if each.kind == "zero point" and each.name.startswith("layer 1"))
    before, after = tflite.unpack(data, "m"), tflite.unpack(planted(data, fault), "m")
    place = before.subgraphs[0].operators[1].inputs[2]
    buffer = before.subgraphs[0].tensors[place].buffer
    weights = np.frombuffer(bytes(before.buffers[buffer - 1].data), "<i1").reshape(2, 2).astype(int)
    bias, changed = (np.frombuffer(bytes(each.buffers[buffer].data), "<i4") for each in (before, after))
    for x in ([-128, 127], [3, -7]):
        z = 4
        np.testing.assert_array_equal(weights @ (np.array(x) - (z + 1)) + bias, weights @ (np.array(x) - z) + changed)


def test_no_weight_becomes_the_one_that_quantizers_never_write(build_tflite: Build) -> None:
    def zeros(model: Any) -> None:
        model.buffers[1].data = [0, 5, 127, 1, 256 - 127, 0]

    data = build_tflite(zeros)
    for fault in faults(data):
        if fault.kind == "weight":
            content = np.frombuffer(bytes(tflite.unpack(planted(data, fault), "m").buffers[1].data), "<i1")
            assert -128 not in content
            assert (content != np.frombuffer(bytes([0, 5, 127, 1, 129, 0]), "<i1")).sum() == 1


def test_the_biases_scale_stays_the_product_of_the_others(build_tflite: Build) -> None:
    """Generators check it, and would refuse the fault before it can be tried."""
    data = build_tflite(deeper(2))
    for fault in faults(data):
        if fault.kind not in ("scale", "shift"):
            continue
        graph = tflite.parse(planted(data, fault), "m").main
        was = tflite.parse(data, "m").main
        assert graph != was
        for operator in graph.operators:
            inputs, weights, bias = graph.of(operator.inputs)
            assert bias.scales == tuple(np.float32(inputs.scales[0] * scale) for scale in weights.scales)


def test_what_has_no_layer_gets_none(build_tflite: Build) -> None:
    def floats(model: Any) -> None:
        for tensor in model.subgraphs[0].tensors:
            tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
        model.buffers[1].data = list(np.ones(6, "<f4").tobytes())
        model.buffers[2].data = list(np.ones(2, "<f4").tobytes())

    data = build_tflite(floats)
    assert faults(data) == []
    assert {each.kind for each in planned(data)} == {"weight", "activation", "swapped layers"}
    assert stale(tflite.parse(data, "m"), tflite.unpack(data, "m")) is None


def test_yesterdays_model_is_another_one(build_tflite: Build) -> None:
    data = build_tflite()
    change = stale(tflite.parse(data, "m"), tflite.unpack(data, "m"))
    assert change is not None
    model = tflite.unpack(data, "m")
    change(model)
    assert tflite.pack(model) != tflite.pack(tflite.unpack(data, "m"))

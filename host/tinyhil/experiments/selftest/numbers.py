"""Faults in a model's numbers: what a wrong code generator, a wrong kernel or a flipped bit in flash would compute.

They are planted in the model file that the device is built from; reference, vectors and identity stay those of the true
model. Each is as small as it is realistic, and which of them a model gets follows from its layers and a seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from tinyhil import tflite
from tinyhil.experiments.selftest.faults import Check, Fault, LeftOut
from tinyhil.experiments.selftest.layers import Layer, content, layers, put, quantization
from tinyhil.tflite import Model, Tensor

MOST_LAYERS = 4
"""Of a deeper model so many layers get faults: the first, the last, and others between them."""
SCALE_ERROR = 1 / 64
"""By which share a wrong scale is off: two LSB at the end of the int8 range."""
SEED = 20

Change = Callable[[Any], None]


def number_faults(model: Model, unpacked: Any, check: Check) -> Iterator[Fault | LeftOut]:
    """The faults of a model.

    Args:
        model: as read.
        unpacked: the same as the schema's ``ModelT``; it is not changed.
        check: what has to notice them: the fidelity of what is computed, or an earlier check of the file.
    """
    generator = np.random.default_rng(SEED)
    found = layers(model.main)
    if not found:
        yield LeftOut("weight", "the model has no layer with int8 weights")
    chosen = _chosen(found, generator)
    for layer in chosen:
        for kind, what, change in _of_layer(layer, unpacked, generator):
            yield Fault(kind, f"{layer}: {what}", check, change)
    yield from _of_ends(model, found, check)
    yield from _activations(found, unpacked, check)
    swaps = list(_swaps(found, unpacked))
    for what, change in swaps:
        yield Fault("swapped layers", what, check, change)
    if not swaps:
        yield LeftOut("swapped layers", "no two layers have weights or biases of the same shape that differ")


def stale(model: Model, unpacked: Any) -> Change | None:
    """Makes yesterday's model of a model; None where it has no weight to be another one by."""
    found = layers(model.main)
    return _weight(found[-1], 0, _next(content(unpacked, found[-1].weights)[0])) if found else None


def _chosen(found: Sequence[Layer], generator: np.random.Generator) -> list[Layer]:
    if len(found) <= MOST_LAYERS:
        return list(found)
    between = generator.choice(np.arange(1, len(found) - 1), MOST_LAYERS - 2, replace=False)
    return [found[0], *(found[index] for index in sorted(between)), found[-1]]


def _of_layer(layer: Layer, unpacked: Any, generator: np.random.Generator) -> Iterator[tuple[str, str, Change]]:
    """Kind, words and change of each fault in one layer."""
    weights = content(unpacked, layer.weights)
    middle = int(generator.integers(1, max(2, len(weights) - 1)))
    flipped = "has a high bit flipped"
    yield "weight", f"the first of {len(weights)} weights {flipped}", _weight(layer, 0, _flipped(weights[0]))
    if middle < len(weights) - 1:
        yield "weight", f"weight {middle} is off by one", _weight(layer, middle, _next(weights[middle]))
    if len(weights) > 1:
        yield "weight", f"the last weight {flipped}", _weight(layer, len(weights) - 1, _flipped(weights[-1]))
    # By turns, because a deep model has layers enough for both of two kinds, and each fault costs a build.
    even = layer.number % 2 == 0
    if even:
        yield "shift", "results are shifted by one bit too few", _rescaled(layer.weights, [layer], 2.0)
    else:
        what = f"the weights' scale is off by 1/{1 / SCALE_ERROR:g}"
        yield "scale", what, _rescaled(layer.weights, [layer], 1 + SCALE_ERROR)
    if layer.bias is None:
        return
    bias = content(unpacked, layer.bias)
    rolled = np.roll(bias, 1) if len(bias) > 1 else np.zeros_like(bias)
    if even and (rolled != bias).any():
        what = "each unit has its neighbour's bias" if len(bias) > 1 else "the bias is left out"
        yield "bias", what, _bias(layer.bias, rolled)
    else:
        step = max(1, math.ceil(layer.outputs.scales[0] / layer.bias.scales[0])) if layer.outputs.scales else 1
        yield "bias", "the first bias is off by one step of the output", _bias(layer.bias, _offset(bias, step))
    if layer.number and layer.operator.name == "FULLY_CONNECTED":
        # x - (z + 1) instead of x - z: each accumulator is lower by the sum of its row of weights.
        rows = weights.astype(np.int32).reshape(len(bias), -1).sum(axis=1, dtype=np.int32)
        if rows.any():
            yield "zero point", "its input's is off by one", _bias(layer.bias, bias - rows)


def _of_ends(model: Model, found: Sequence[Layer], check: Check) -> Iterator[Fault]:
    """Scale and zero point of the model's input and output, where a layer takes or makes them."""
    ends = [("input", layer.inputs) for layer in found if layer.inputs.index in model.main.inputs]
    ends += [("output", layer.outputs) for layer in found if layer.outputs.index in model.main.outputs]
    for end, tensor in ends:
        if tensor.dtype != "int8" or len(tensor.scales) != 1:
            continue
        takers = [layer for layer in found if layer.inputs.index == tensor.index]
        what = f"the {end}'s is off by 1/{1 / SCALE_ERROR:g}"
        yield Fault("scale", what, check, _rescaled(tensor, takers, 1 + SCALE_ERROR))
        yield Fault("zero point", f"the {end}'s is off by one", check, _zero_point(tensor))


def _activations(found: Sequence[Layer], unpacked: Any, check: Check) -> Iterator[Fault | LeftOut]:
    """A ReLU too many, and one too few: where the quantized range goes below zero, for elsewhere it changes nothing."""
    schema = tflite.schema()

    known = schema.ActivationFunctionType
    below = [layer for layer in found if layer.outputs.zero_points and layer.outputs.zero_points[0] > -128]
    for what, wrong, right in (("a ReLU too many", known.RELU, known.NONE), ("no ReLU", known.NONE, known.RELU)):
        places = [layer for layer in below if _options(unpacked, layer).fusedActivationFunction == right]
        if places:
            yield Fault("activation", f"{places[-1]}: {what}", check, _activation(places[-1], wrong))
    if not below:
        yield LeftOut("activation", "the range of no layer goes below zero")


def _options(model: Any, layer: Layer) -> Any:
    return model.subgraphs[0].operators[layer.operator.index].builtinOptions


def _activation(layer: Layer, function: int) -> Change:
    def change(model: Any) -> None:
        _options(model, layer).fusedActivationFunction = function

    return change


def _swaps(found: Sequence[Layer], unpacked: Any) -> Iterator[tuple[str, Change]]:
    """Layers that could be taken for one another: the first pair by their weights, and the first by their biases."""
    for what, of in (("weights", _weights_of), ("biases", _bias_of)):
        for one, other in combinations(found, 2):
            first, second = of(one), of(other)
            if first is None or second is None or first.buffer == second.buffer or first.shape != second.shape:
                continue
            if (content(unpacked, first) != content(unpacked, second)).any():
                yield f"the {what} of {one} and {other}", _swapped(first, second)
                break


def _weights_of(layer: Layer) -> Tensor | None:
    return layer.weights


def _bias_of(layer: Layer) -> Tensor | None:
    return layer.bias


def _flipped(weight: np.int8) -> int:
    """Another sign bit; the one below it where that would be -128, which no quantizer writes."""
    value = int(weight)
    return value + 128 if value < 0 else value - 128 if value else 64


def _next(weight: np.int8) -> int:
    return int(weight) + (1 if weight < 127 else -1)


def _offset(bias: Any, step: int) -> Any:
    changed = bias.copy()
    changed[0] += step
    return changed


def _weight(layer: Layer, index: int, value: int) -> Change:
    def change(model: Any) -> None:
        values = content(model, layer.weights)
        values[index] = value
        put(model, layer.weights, values)

    return change


def _bias(tensor: Tensor, values: Any) -> Change:
    return lambda model: put(model, tensor, values)


def _rescaled(tensor: Tensor, takers: Sequence[Layer], factor: float) -> Change:
    """The first scale of a tensor; with it the biases' of its layers, which are input times weights by definition."""

    def change(model: Any) -> None:
        scales = np.array(quantization(model, tensor).scale, np.float32)
        scales[0] *= np.float32(factor)
        quantization(model, tensor).scale = scales
        for layer in takers:
            if layer.bias is not None:
                parts = [
                    np.asarray(quantization(model, part).scale, np.float64) for part in (layer.inputs, layer.weights)
                ]
                quantization(model, layer.bias).scale = (parts[0] * parts[1]).astype(np.float32)

    return change


def _zero_point(tensor: Tensor) -> Change:
    def change(model: Any) -> None:
        points = np.array(quantization(model, tensor).zeroPoint)
        points[0] += 1 if points[0] < 127 else -1
        quantization(model, tensor).zeroPoint = points

    return change


def _swapped(first: Tensor, second: Tensor) -> Change:
    def change(model: Any) -> None:
        one, other = content(model, first), content(model, second)
        put(model, first, other)
        put(model, second, one)

    return change

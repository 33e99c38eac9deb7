"""The work of an inference, counted by going through the loops that a naive kernel goes through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil import tflite
from tinyhil.tflite import Graph, Model, Operator, Tensor

from ..layered import Network

Shape = tuple[int, ...]
SIZE = st.integers(1, 4)


def counted(name: str, inputs: list[Shape | None], output: Shape) -> int:
    """What is counted of a model of one operator; an input that is None is not there."""
    shapes = [shape for shape in inputs if shape is not None] + [output]
    tensors = tuple(Tensor(index, "", "int8", shape, (), (), (), 0, 0, 0) for index, shape in enumerate(shapes))
    places = iter(range(len(tensors) - 1))
    operator = Operator(
        0, name, False, 1, tuple(-1 if one is None else next(places) for one in inputs), (len(tensors) - 1,)
    )
    return tflite.macs(Model(0, (Graph(tensors, (operator,), (), (len(tensors) - 1,)),)))


def over(*sizes: int) -> Iterator[Shape]:
    return product(*(range(size) for size in sizes))


@given(SIZE, SIZE, SIZE, SIZE, SIZE, SIZE)
def test_a_convolution(height: int, width: int, window: int, taps: int, depth: int, channels: int) -> None:
    output, weights = (1, height, width, channels), (channels, window, taps, depth)
    loops = sum(1 for _ in over(height, width, channels) for _ in over(window, taps, depth))
    assert counted("CONV_2D", [(1, 9, 9, depth), weights, (channels,)], output) == loops


@given(SIZE, SIZE, SIZE, SIZE)
def test_a_depthwise_convolution(height: int, width: int, window: int, channels: int) -> None:
    loops = sum(1 for _ in over(height, width, channels) for _ in over(window, 3))
    assert counted("DEPTHWISE_CONV_2D", [(1, 9, 9, 1), (1, window, 3, channels)], (1, height, width, channels)) == loops


@given(SIZE, SIZE, SIZE, SIZE, SIZE)
def test_a_transposed_convolution(height: int, width: int, window: int, depth: int, channels: int) -> None:
    """Each input element goes to each place of the window in each output."""
    loops = sum(1 for _ in over(height, width, depth) for _ in over(window, 3, channels))
    shapes: list[Shape | None] = [(4,), (channels, window, 3, depth), (1, height, width, depth)]
    assert counted("TRANSPOSE_CONV", shapes, (1, 9, 9, channels)) == loops


@given(SIZE, SIZE, SIZE)
def test_a_dense_layer(rows: int, taps: int, units: int) -> None:
    loops = sum(1 for _ in over(rows, units, taps))
    assert counted("FULLY_CONNECTED", [(rows, taps), (units, taps), None], (rows, units)) == loops


@pytest.mark.parametrize("transposed", [False, True])
@given(SIZE, SIZE, SIZE, SIZE)
def test_a_product_of_matrices(transposed: bool, batch: int, rows: int, inner: int, columns: int) -> None:
    one = (batch, inner, rows) if transposed else (batch, rows, inner)
    loops = sum(1 for _ in over(batch, rows, columns, inner))
    assert counted("BATCH_MATMUL", [one, (1, inner, columns)], (batch, rows, columns)) == loops


@given(st.integers(1, 5), SIZE, SIZE)
def test_an_lstm(steps: int, taps: int, units: int) -> None:
    """Four gates, each with weights of the input and of the state; no peepholes, no projection."""
    gates: list[Shape | None] = [*[(units, taps)] * 4, *[(units, units)] * 4]
    rest: list[Shape | None] = [*[None] * 3, *[(units,)] * 4, *[None] * 2, *[(1, units)] * 2]
    loops = sum(1 for _ in over(steps, 4, units) for _ in [*over(taps), *over(units)])
    assert counted("UNIDIRECTIONAL_SEQUENCE_LSTM", [(1, steps, taps), *gates, *rest], (1, steps, units)) == loops


@given(st.integers(1, 5), SIZE, SIZE, SIZE)
def test_an_lstm_with_peepholes_and_a_projection(steps: int, taps: int, units: int, outputs: int) -> None:
    gates: list[Shape | None] = [*[(units, taps)] * 4, *[(units, outputs)] * 4, *[(units,)] * 3]
    rest: list[Shape | None] = [*[(units,)] * 4, (outputs, units), (outputs,)]
    loops = sum(1 for _ in over(steps, units) for _ in [*over(4, taps), *over(4, outputs), *over(3), *over(outputs)])
    shapes: list[Shape | None] = [(1, steps, taps), *gates, *rest]
    assert counted("UNIDIRECTIONAL_SEQUENCE_LSTM", shapes, (1, steps, outputs)) == loops


@given(SIZE, SIZE, SIZE)
def test_an_svdf(taps: int, filters: int, memory: int) -> None:
    loops = sum(1 for _ in over(filters) for _ in [*over(taps), *over(memory)])
    shapes: list[Shape | None] = [(1, taps), (filters, taps), (filters, memory), None, (1, filters * memory)]
    assert counted("SVDF", shapes, (1, filters)) == loops


def test_a_model_is_the_sum_of_its_layers() -> None:
    network = Network((1, 8, 8, 2), 1)
    network.conv(4)
    network.depthwise()
    network.max_pool()
    network.flatten()
    network.dense(5)
    layers = [8 * 8 * 4 * (3 * 3 * 2), 8 * 8 * 4 * (3 * 3), (4 * 4 * 4) * 5]
    assert tflite.macs(tflite.parse(network.finish(), "m")) == sum(layers)


def test_what_does_not_multiply_counts_as_nothing() -> None:
    for name in ("ADD", "RESHAPE", "SOFTMAX", "CUSTOM(x)"):
        assert counted(name, [(1, 4), (1, 4)], (1, 4)) == 0


def test_an_open_size_counts_as_one() -> None:
    assert counted("FULLY_CONNECTED", [(-1, 3), (2, 3)], (-1, 2)) == prod((3, 2))

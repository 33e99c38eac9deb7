"""How much a .tflite file unpacks to: a table may be named again and again, which makes much of a small file.

In a file that a converter has written, every entry of a list has bytes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST = 2_000_000
"""Entries of all lists of a model: as many tensors, operators, scales and so on."""


def exceeds(model: Any, size: int) -> bool:
    """Whether the lists of a model have more entries than its file has bytes, or than ``MOST``.

    Args:
        model: the schema's ``Model``, of which nothing was unpacked yet.
        size: of the file in bytes.

    Raises:
        struct.error, IndexError, and others: a list points outside of the file.
    """
    total, limit = 0, min(size, MOST)
    for length in _lengths(model):
        total += length
        if total > limit:
            return True
    return False


def _lengths(model: Any) -> Iterator[int]:
    """The length of each list that is unpacked entry by entry; that of a list before those of what is in it."""
    yield model.OperatorCodesLength()
    yield model.BuffersLength()
    yield model.MetadataLength()
    yield model.SignatureDefsLength()
    for index in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(index)
        yield signature.InputsLength()
        yield signature.OutputsLength()
    yield model.SubgraphsLength()
    for index in range(model.SubgraphsLength()):
        graph = model.Subgraphs(index)
        yield graph.InputsLength()
        yield graph.OutputsLength()
        yield from _of_tensors(graph)
        yield graph.OperatorsLength()
        for place in range(graph.OperatorsLength()):
            operator = graph.Operators(place)
            yield operator.InputsLength()
            yield operator.OutputsLength()


def _of_tensors(graph: Any) -> Iterator[int]:
    yield graph.TensorsLength()
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        yield tensor.ShapeLength()
        yield tensor.ShapeSignatureLength()
        yield tensor.VariantTensorsLength()
        quantization, sparsity = tensor.Quantization(), tensor.Sparsity()
        if quantization is not None:
            yield quantization.ScaleLength()
            yield quantization.ZeroPointLength()
        if sparsity is not None:
            yield sparsity.DimMetadataLength()

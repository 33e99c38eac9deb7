"""Makes hostile .tflite files by what the schema says: shapes, indices, types, scales, axes, buffers, options."""

from __future__ import annotations

import random
from typing import Any

from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil.tflite.objects import pack

from . import mutate

_SHAPE = (0, 1, 2, 3, 4, 16, 17, 254, 272, 4096, 65536, 2**24, 2**31 - 1, -1)
_SCALES = (0.0, -1.0, 1e-45, 1e38, float("nan"), float("inf"), 0.5, 1.0)


def model(rng: random.Random, data: bytes) -> bytes:
    """One to three changes of the schema's objects; a fifth of all by bytes alone."""
    if rng.random() < 0.2:
        return mutate.by_bytes(rng, data)
    made = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(_CHANGES)(rng, made)
    try:
        packed = pack(made)
    except Exception:  # the bindings refuse what no field can hold
        return mutate.by_bytes(rng, data)
    return mutate.by_bytes(rng, packed) if rng.random() < 0.1 else packed


def _graph(rng: random.Random, made: Any) -> Any:
    return rng.choice(made.subgraphs)


def _shape(rng: random.Random, made: Any) -> None:
    tensor = rng.choice(_graph(rng, made).tensors)
    shape = [] if tensor.shape is None else [int(size) for size in tensor.shape]
    kind = rng.randrange(4)
    if kind == 0 or not shape:
        shape.insert(rng.randrange(len(shape) + 1), rng.choice(_SHAPE))
    elif kind == 1:
        del shape[rng.randrange(len(shape))]
    else:
        at = rng.randrange(len(shape))
        shape[at] = rng.choice((rng.choice(_SHAPE), shape[at] + 1, shape[at] - 1, 2 * shape[at]))
    tensor.shape = shape
    if rng.random() < 0.2:
        tensor.shapeSignature = [rng.choice(_SHAPE) for _ in shape]


def _type(rng: random.Random, made: Any) -> None:
    rng.choice(_graph(rng, made).tensors).type = rng.randrange(20)


def _scale(rng: random.Random, made: Any) -> None:
    tensor = rng.choice(_graph(rng, made).tensors)
    if tensor.quantization is None:
        tensor.quantization = schema.QuantizationParametersT()
    kind = rng.randrange(4)
    if kind == 0:
        tensor.quantization.scale = [rng.choice(_SCALES) for _ in range(rng.choice((0, 1, 2, 16)))]
    elif kind == 1:
        tensor.quantization.zeroPoint = [
            rng.choice((0, 1, -128, 127, 1000, -(2**40))) for _ in range(rng.choice((0, 1, 2)))
        ]
    elif kind == 2:
        tensor.quantization.quantizedDimension = rng.choice((-1, 0, 1, 3, 4, 2**31 - 1))
    else:
        tensor.quantization = None


def _buffer(rng: random.Random, made: Any) -> None:
    kind = rng.randrange(3)
    if kind == 0:
        rng.choice(_graph(rng, made).tensors).buffer = rng.choice(
            (0, 1, len(made.buffers) - 1, len(made.buffers), 2**31)
        )
        return
    buffer = rng.choice(made.buffers)
    content = b"" if buffer.data is None else bytes(buffer.data)
    buffer.data = list(content[: rng.randrange(len(content) + 1)] if kind == 1 else content + rng.randbytes(8))


def _ends(rng: random.Random, made: Any) -> None:
    graph = _graph(rng, made)
    name = rng.choice(("inputs", "outputs"))
    holder = rng.choice((graph, rng.choice(graph.operators or [graph])))
    found = [] if getattr(holder, name) is None else [int(each) for each in getattr(holder, name)]
    index = rng.choice(
        (-1, 0, len(graph.tensors) - 1, len(graph.tensors), 2**31 - 1, rng.randrange(len(graph.tensors) + 1))
    )
    if found and rng.random() < 0.7:
        found[rng.randrange(len(found))] = index
    elif found and rng.random() < 0.5:
        found.pop()
    else:
        found.append(index)
    setattr(holder, name, found)


def _operator(rng: random.Random, made: Any) -> None:
    graph = _graph(rng, made)
    operator = rng.choice(graph.operators or [None])
    kind = rng.randrange(4)
    if operator is None:
        return
    if kind == 0:
        graph.operators.remove(operator)
    elif kind == 1:
        graph.operators.insert(rng.randrange(len(graph.operators)), operator)
    elif kind == 2:
        operator.opcodeIndex = rng.choice((0, len(made.operatorCodes), 2**31))
    else:
        rng.shuffle(graph.operators)


def _code(rng: random.Random, made: Any) -> None:
    code = rng.choice(made.operatorCodes)
    if rng.random() < 0.3:
        code.version = rng.choice((0, -1, 99))
        return
    code.builtinCode = rng.randrange(210)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)


def _options(rng: random.Random, made: Any) -> None:
    operator = rng.choice(_graph(rng, made).operators or [None])
    if operator is None:
        return
    options = operator.builtinOptions
    if options is None or rng.random() < 0.1:
        operator.builtinOptions = None
        return
    name = rng.choice([name for name, value in vars(options).items() if isinstance(value, int | float)] or ["none"])
    setattr(options, name, rng.choice((0, 1, 2, 3, 5, -1, 100, 127)))


def _more(rng: random.Random, made: Any) -> None:
    kind = rng.randrange(3)
    if kind == 0:
        made.subgraphs.append(rng.choice(made.subgraphs))
    elif kind == 1:
        made.version = rng.choice((0, 2, 4))
    else:
        rng.choice(_graph(rng, made).tensors).name = rng.choice(
            ("", "a\x1b[31mb", "x" * 5000, "\u202e", "a\nb")
        ).encode()


_CHANGES = (_shape, _shape, _shape, _type, _scale, _scale, _buffer, _ends, _ends, _operator, _code, _options, _more)

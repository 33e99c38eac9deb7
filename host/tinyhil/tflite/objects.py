"""A model file as the schema's own objects, to be changed and written again."""

from __future__ import annotations

from typing import Any

from tinyhil.tflite import bindings
from tinyhil.tflite.reader import IDENTIFIER, parse

_ALIGNMENT = 16
"""Of a buffer's content: ``force_align`` in the schema. The bindings' own ``Pack`` forgets it."""


def unpack(data: bytes, name: str) -> Any:
    """The file as the schema's ``ModelT``.

    Args:
        data: the file's content.
        name: how to call it in messages.

    Raises:
        ModelError: it is not a TFLite model, or damaged.
    """
    schema = bindings.schema()

    parse(data, name)  # the bindings read without looking where
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


def pack(model: Any) -> bytes:
    """The content of the file of a ``ModelT``."""
    import flatbuffers  # type: ignore[import-untyped]

    schema = bindings.schema()

    for buffer in model.buffers:
        buffer.Pack = _aligned(schema, buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _aligned(schema: Any, buffer: Any) -> Any:
    """A ``Pack`` that puts the content where the schema wants it."""

    def pack(builder: Any) -> int:
        content = b"" if buffer.data is None else bytes(buffer.data)
        if content:
            builder.StartVector(1, len(content), _ALIGNMENT)
            # All at once, as the bindings' CreateByteVector does, which knows no alignment.
            builder.head = builder.Head() - len(content)
            builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
            content_at = builder.EndVector()
        schema.BufferStart(builder)
        if content:
            schema.BufferAddData(builder, content_at)
        return int(schema.BufferEnd(builder))

    return pack

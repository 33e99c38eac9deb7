"""A model file as the schema's objects, and back. Nothing is checked here: :func:`tinyhil.tflite.parse` does that."""

from __future__ import annotations

from typing import Any

from tinyhil.tflite.reader import IDENTIFIER

_ALIGNMENT = 16
"""Of a buffer's content: ``force_align`` in the schema. The bindings' own ``Pack`` forgets it."""


def unpack(data: bytes) -> Any:
    """The schema's ``ModelT`` of a file that has been parsed: the bindings read without looking where."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))


def pack(model: Any, size: int) -> bytes:
    """The file of a ``ModelT``.

    Args:
        size: about how many bytes it will have.
    """
    import flatbuffers  # type: ignore[import-untyped]
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    for buffer in model.buffers:
        buffer.Pack = _aligned(schema, buffer)
    builder = flatbuffers.Builder(size)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _aligned(schema: Any, buffer: Any) -> Any:
    """A ``Pack`` that puts the content where the schema wants it."""

    def pack(builder: Any) -> int:
        content = b"" if buffer.data is None else bytes(buffer.data)
        if content:
            builder.StartVector(1, len(content), _ALIGNMENT)
            for byte in reversed(content):
                builder.PrependUint8(byte)
            content_at = builder.EndVector()
        schema.BufferStart(builder)
        if content:
            schema.BufferAddData(builder, content_at)
        return int(schema.BufferEnd(builder))

    return pack

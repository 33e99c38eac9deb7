"""Operators that move elements: reshape, cut, join, pad, gather, resize."""

from __future__ import annotations

import math

from tinyhil.tflite.shapes.call import Call, Shape, axis_of, elements, need, need_elements, need_rank, sizes

_REFLECT = 0
"""Of the schema's modes of MIRROR_PAD: the edge itself is not repeated."""


def reshape(call: Call) -> list[Shape | None]:
    """RESHAPE: the new shape is the second input, or else an option; -1 is what is left."""
    source = call.shape(0)
    given: list[int] | None
    if call.optional(1) is not None:
        given = call.values(1)
    else:
        new = getattr(call.options, "newShape", None)
        given = None if new is None else [int(size) for size in new]
    declared = sizes(call.outputs[0]) if call.outputs else ()
    need(elements(declared) == elements(source), f"makes the shape {declared} of {source}")
    if given is None:
        return [None]
    need(given.count(-1) <= 1 and all(size >= -1 for size in given), f"has the new shape {given}")
    known = math.prod(size for size in given if size != -1)
    if -1 in given:
        need(known > 0 and elements(source) % known == 0, f"makes the shape {given} of {source}")
        given[given.index(-1)] = elements(source) // known
    return [tuple(given)]


def squeeze(call: Call) -> list[Shape]:
    """SQUEEZE: the dimensions of size 1 that are named, or all."""
    source = call.shape(0)
    named = getattr(call.options, "squeezeDims", None)
    axes = {axis_of(int(axis), len(source)) for axis in ([] if named is None else named)}
    need(all(source[axis] == 1 for axis in axes), f"drops the dimensions {sorted(axes)} of the shape {source}")
    dropped = axes or {axis for axis, size in enumerate(source) if size == 1}
    return [tuple(size for axis, size in enumerate(source) if axis not in dropped)]


def expand(call: Call) -> list[Shape | None]:
    """EXPAND_DIMS."""
    source, given = call.shape(0), call.values(1)
    need_elements(call.input(1), 1, "an axis")
    if given is None:
        return [None]
    axis = axis_of(given[0], len(source) + 1)
    return [(*source[:axis], 1, *source[axis:])]


def transpose(call: Call) -> list[Shape | None]:
    """TRANSPOSE."""
    source, order = call.shape(0), call.values(1)
    if order is None:
        need_elements(call.input(1), len(source), "an order")
        return [None]
    places = [axis_of(axis, len(source)) for axis in order]
    need(sorted(places) == list(range(len(source))), f"has the order {order} for the shape {source}")
    return [tuple(source[axis] for axis in places)]


def slice_(call: Call) -> list[Shape | None]:
    """SLICE: begin and size; a size of -1 is what is left."""
    source, begin, size = call.shape(0), call.values(1), call.values(2)
    for position in (1, 2):
        need_elements(call.input(position), len(source), "a begin or a size")
    if begin is None or size is None:
        return [None]
    counts = [n - first if count == -1 else count for n, first, count in zip(source, begin, size, strict=True)]
    inside = (
        first >= 0 and count >= 0 and first + count <= n for n, first, count in zip(source, begin, counts, strict=True)
    )
    need(all(inside), f"cuts {size} from {begin} on out of the shape {source}")
    return [tuple(counts)]


def strided_slice(call: Call) -> list[Shape | None]:
    """STRIDED_SLICE. Micro's kernel takes a begin, an end and a step for each dimension of the input, and no others."""
    source = call.shape(0)
    for position in (1, 2, 3):
        need_elements(call.input(position), len(source), "a begin, an end or a step")
    begin, end, strides = (call.values(position) for position in (1, 2, 3))
    if begin is None or end is None or strides is None:
        return [None]
    need(0 not in strides, "has a step of 0")
    need(not call.option("ellipsisMask") and not call.option("newAxisMask"), "has an ellipsis or a new axis")
    made = []
    for axis, size in enumerate(source):
        mask, stride = 1 << axis, strides[axis]
        first = _limit(begin[axis], size, stride, 0 if call.option("beginMask") & mask else None)
        last = _limit(end[axis], size, stride, 1 if call.option("endMask") & mask else None)
        if call.option("shrinkAxisMask") & mask:
            need(stride > 0 and 0 <= first < size, f"drops dimension {axis} at {begin[axis]} of {size}")
            continue
        made.append(len(range(first, last, stride)))
    return [tuple(made)]


def _limit(value: int, size: int, stride: int, end: int | None) -> int:
    """Where an axis begins or ends; ``end`` 0 and 1 are the first and the last in the direction of the step."""
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    if end is not None:
        return (low, high)[end] if stride > 0 else (high, low)[end]
    return min(max(value + size if value < 0 else value, low), high)


def split(call: Call) -> list[Shape | None]:
    """SPLIT: the axis, then what is split, in equal parts."""
    source, given, parts = call.shape(1), call.values(0), len(call.outputs)
    need_elements(call.input(0), 1, "an axis")
    if given is None:
        return [None] * parts
    axis = axis_of(given[0], len(source))
    need(parts > 0 and source[axis] % parts == 0, f"splits dimension {axis} of the shape {source} into {parts} parts")
    return [_at(source, axis, source[axis] // parts)] * parts


def split_v(call: Call) -> list[Shape | None]:
    """SPLIT_V: what is split, the sizes, of which one may be -1, and the axis."""
    source, given, where, parts = call.shape(0), call.values(1), call.values(2), len(call.outputs)
    need_elements(call.input(1), parts, "sizes")
    need_elements(call.input(2), 1, "an axis")
    if given is None or where is None:
        return [None] * parts
    axis = axis_of(where[0], len(source))
    need(given.count(-1) <= 1 and all(size >= -1 for size in given), f"has the sizes {given}")
    left = source[axis] - sum(size for size in given if size != -1)
    counts = [left if size == -1 else size for size in given]
    need(left >= 0 and sum(counts) == source[axis], f"splits dimension {axis} of the shape {source} into {given}")
    return [_at(source, axis, size) for size in counts]


def unpack(call: Call) -> list[Shape]:
    """UNPACK: one output for each entry of an axis."""
    source, parts = call.shape(0), len(call.outputs)
    axis = axis_of(call.option("axis"), len(source))
    need(source[axis] == parts == call.option("num", parts), f"has {parts} outputs of {source[axis]} entries")
    return [source[:axis] + source[axis + 1 :]] * parts


def pack(call: Call) -> list[Shape]:
    """PACK: each input is an entry of a new axis."""
    shapes = {call.shape(position) for position in range(len(call.inputs))}
    need(len(shapes) == 1, f"packs {len(shapes)} different shapes")
    count, source = len(call.inputs), shapes.pop()
    need(call.option("valuesCount", count) == count, f"has {count} inputs, and says {call.option('valuesCount')}")
    axis = axis_of(call.option("axis"), len(source) + 1)
    return [(*source[:axis], count, *source[axis:])]


def concatenation(call: Call) -> list[Shape]:
    """CONCATENATION: the inputs differ along the axis alone."""
    shapes = [call.shape(position) for position in range(len(call.inputs))]
    need(bool(shapes), "has no inputs")
    axis = axis_of(call.option("axis"), len(shapes[0]))
    alike = {_at(shape, axis, 0) if len(shape) > axis else shape for shape in shapes}
    need(len(alike) == 1, f"joins the shapes {', '.join(str(shape) for shape in shapes)} along dimension {axis}")
    return [_at(shapes[0], axis, sum(shape[axis] for shape in shapes))]


def _at(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def space_to_depth(call: Call) -> list[Shape]:
    """SPACE_TO_DEPTH."""
    source, side = call.shape(0), call.option("blockSize")
    need_rank(source, 4)
    need(side > 0 and source[1] % side == source[2] % side == 0, f"has blocks of {side} in the shape {source}")
    return [(source[0], source[1] // side, source[2] // side, source[3] * side * side)]


def depth_to_space(call: Call) -> list[Shape]:
    """DEPTH_TO_SPACE."""
    source, side = call.shape(0), call.option("blockSize")
    need_rank(source, 4)
    need(side > 0 and source[3] % (side * side) == 0, f"has blocks of {side} of the shape {source}")
    return [(source[0], source[1] * side, source[2] * side, source[3] // (side * side))]


def space_to_batch(call: Call) -> list[Shape | None]:
    """SPACE_TO_BATCH_ND: block, and what is padded before and after each dimension."""
    source, block, pads = call.shape(0), call.values(1), call.values(2)
    if block is None or pads is None:
        return [None]
    need_elements(call.input(2), 2 * len(block), "paddings")
    need(len(source) > len(block) and min(block, default=1) > 0 and min(pads, default=0) >= 0, f"has the block {block}")
    inner = [size + sum(pads[2 * at : 2 * at + 2]) for at, size in enumerate(source[1 : 1 + len(block)])]
    need(all(size % side == 0 for size, side in zip(inner, block, strict=True)), f"has the block {block} over {inner}")
    made = [size // side for size, side in zip(inner, block, strict=True)]
    return [(source[0] * math.prod(block), *made, *source[1 + len(block) :])]


def batch_to_space(call: Call) -> list[Shape | None]:
    """BATCH_TO_SPACE_ND: block, and what is cut off before and after each dimension."""
    source, block, crops = call.shape(0), call.values(1), call.values(2)
    if block is None or crops is None:
        return [None]
    need_elements(call.input(2), 2 * len(block), "crops")
    need(
        len(source) > len(block) and min(block, default=1) > 0 and min(crops, default=0) >= 0, f"has the block {block}"
    )
    need(source[0] % math.prod(block) == 0, f"has the block {block} of {source[0]} batches")
    made = [source[1 + at] * side - sum(crops[2 * at : 2 * at + 2]) for at, side in enumerate(block)]
    need(min(made, default=0) >= 0, f"cuts {crops} off")
    return [(source[0] // math.prod(block), *made, *source[1 + len(block) :])]


def pad(call: Call) -> list[Shape | None]:
    """PAD, PADV2: before and after each dimension."""
    source, pads = call.shape(0), call.values(1)
    need_elements(call.input(1), 2 * len(source), "paddings")
    need_elements(call.optional(2), 1, "a value")
    if pads is None:
        return [None]
    need(min(pads, default=0) >= 0, f"has the paddings {pads}")
    return [tuple(sum(pads[2 * axis : 2 * axis + 2]) + size for axis, size in enumerate(source))]


def mirror_pad(call: Call) -> list[Shape | None]:
    """MIRROR_PAD: no more than there is to mirror."""
    found, source, pads = pad(call), call.shape(0), call.values(1)
    gap = 1 if call.option("mode") == _REFLECT else 0
    for axis, size in enumerate(source if pads else ()):
        need(max((pads or [])[2 * axis : 2 * axis + 2]) <= size - gap, f"mirrors more than the shape {source} has")
    return found


def gather(call: Call) -> list[Shape]:
    """GATHER: entries of an axis, by batches."""
    source, indices = call.shape(0), call.shape(1)
    axis = axis_of(call.option("axis"), len(source))
    batches = call.option("batchDims")
    batches += len(indices) if batches < 0 else 0
    need(0 <= batches <= min(axis, len(indices)) and source[:batches] == indices[:batches], f"has {batches} batches")
    known = call.values(1)
    need(known is None or all(0 <= at < source[axis] for at in known), f"has an index beyond the shape {source}")
    return [(*source[:axis], *indices[batches:], *source[axis + 1 :])]


def gather_nd(call: Call) -> list[Shape]:
    """GATHER_ND: the last dimension of the indices is a place."""
    source, indices = call.shape(0), call.shape(1)
    need(bool(indices) and indices[-1] <= len(source), f"has indices of shape {indices} into the shape {source}")
    depth, known = indices[-1], call.values(1)
    inside = known is None or all(0 <= at < source[place % depth] for place, at in enumerate(known))
    need(inside, f"has an index beyond the shape {source}")
    return [(*indices[:-1], *source[depth:])]


def embedding(call: Call) -> list[Shape]:
    """EMBEDDING_LOOKUP: the indices, then the table."""
    indices, table = call.shape(0), call.shape(1)
    need(len(indices) == 1 and len(table) >= 2, f"looks up {indices} in a table of shape {table}")
    known = call.values(0)
    need(known is None or all(0 <= at < table[0] for at in known), f"has an index beyond the table of {table[0]}")
    return [(indices[0], *table[1:])]


def resize(call: Call) -> list[Shape | None]:
    """RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR: height and width are an input."""
    source, size = call.shape(0), call.values(1)
    need_rank(source, 4)
    need_elements(call.input(1), 2, "a size")
    if size is None:
        return [None]
    need(min(size) > 0, f"has the size {size}")
    return [(source[0], size[0], size[1], source[3])]


def fill(call: Call) -> list[Shape | None]:
    """FILL: the shape, and one value."""
    wanted = call.values(0)
    need_elements(call.input(1), 1, "a value")
    if wanted is None:
        return [None]
    need(min(wanted, default=0) >= 0, f"has the shape {wanted}")
    return [tuple(wanted)]


def shape_of(call: Call) -> list[Shape]:
    """SHAPE."""
    return [(len(call.shape(0)),)]


def update(call: Call) -> list[Shape]:
    """DYNAMIC_UPDATE_SLICE: the whole, the part that is put into it, and where it begins."""
    whole, part = call.shape(0), call.shape(1)
    need_elements(call.input(2), len(whole), "a place")
    fits = len(part) == len(whole) and all(one <= all_ for one, all_ in zip(part, whole, strict=True))
    need(fits, f"puts the shape {part} into {whole}")
    return [whole]

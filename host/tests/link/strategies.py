"""Hypothesis strategies for every message within the limits of docs/protocol.md."""

from __future__ import annotations

from hypothesis import strategies as st

from tinyhil.affine import DType, TensorSpec
from tinyhil.link.fields import Message
from tinyhil.link.inference import Cleared, Data, Infer, Ran, Read, Reset, Result, Run, Write, Written
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.link.messages import Describe, Direction, Error, ErrorCode, Goodbye, Hello, Parted, Tensor, Welcome
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.link.resources import Arena, OperatorTicks, Prepared, Profile, Profiled, Usage, Used

U8 = st.integers(0, 0xFF)
U32 = st.integers(0, 0xFFFFFFFF)
PART = st.binary(min_size=1, max_size=60)
SHA256 = st.binary(min_size=32, max_size=32)
SCALES = st.floats(0.0, exclude_min=True, allow_nan=False, allow_infinity=False, width=32) | st.just(0.0)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=63).filter(lambda name: len(name.encode()) <= 63)

SHAPES = st.lists(st.integers(1, 0xFFFFFFFF), min_size=1, max_size=6).map(tuple)

SPECS = st.builds(
    TensorSpec,
    NAMES,
    st.sampled_from(DType),
    SHAPES,
    SCALES,
    st.integers(-0x80000000, 0x7FFFFFFF),
)

WELCOMES = st.builds(
    Welcome,
    version=st.just(1),
    stateful=st.booleans(),
    inputs=st.integers(1, 0xFF),
    outputs=st.integers(1, 0xFF),
    max_payload=st.integers(100, 4096),
    window=st.integers(1, 0xFF),
    boot_id=U32,
    tick_rate=U32,
    arena_bytes=U32,
    model_sha256=SHA256,
    project_sha256=SHA256,
    engine=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=16),
)


@st.composite
def vectors(draw: st.DrawFn) -> tuple[int, bytes]:
    """A count, and as many vectors of one length."""
    count = draw(st.integers(1, 40))
    length = draw(st.integers(1, 40))
    return count, draw(st.binary(min_size=count * length, max_size=count * length))


OPERATORS = st.builds(OperatorTicks, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=63), U32)


@st.composite
def profiles(draw: st.DrawFn) -> Profiled:
    """A page of a profile: the first, the last, or one between."""
    entries = tuple(draw(st.lists(OPERATORS, max_size=4)))
    first, behind = draw(st.integers(0, 1000)), draw(st.integers(0, 1000))
    return Profiled(first + len(entries) + behind, first, entries) if entries else Profiled(0, 0, ())


MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, U8, U8),
    WELCOMES,
    st.builds(Describe, st.sampled_from(Direction), U8),
    st.builds(Tensor, st.sampled_from(Direction), U8, SPECS),
    vectors().map(lambda pair: Infer(*pair)),
    st.tuples(vectors(), U32).map(lambda both: Result(both[0][0], both[1], both[0][1])),
    st.sampled_from([Reset(), Cleared(), Written(), Usage(), Goodbye(), Parted()]),
    st.builds(Write, U8, U32, PART),
    st.builds(Run, U32),
    st.builds(Ran, U32),
    st.builds(Read, U8, U32, st.integers(1, 4096)),
    st.builds(Data, PART),
    st.builds(Used, U32, U32, U32, U32, U32, U32),
    st.builds(Arena, st.integers(1, 0xFFFFFFFF)),
    st.builds(Prepared, U32, U32),
    st.builds(Profile, st.integers(0, 0xFFFF)),
    profiles(),
    st.builds(Baud, U32),
    st.builds(Switched, U32),
    st.builds(Preprocess, U32),
    st.builds(Preprocessed, U32, U32, st.sampled_from(DType), SHAPES),
    st.builds(Error, st.sampled_from(ErrorCode), U32),
)

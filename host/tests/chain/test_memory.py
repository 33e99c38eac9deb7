"""The plan of the working memory: nothing that is needed at the same time shares a byte, and little is left between."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tinyhil.chain.memory import ALIGNMENT, Block, plan

BLOCKS = st.lists(
    st.tuples(st.integers(1, 300), st.integers(0, 12), st.integers(0, 6)).map(
        lambda drawn: Block(drawn[0], drawn[1], drawn[1] + drawn[2])
    ),
    max_size=24,
)


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def needed(blocks: list[Block]) -> int:
    """Bytes of the step that needs the most: no plan can do with less."""
    return max((sum(aligned(b.size) for b in blocks if b.first <= step <= b.last) for step in range(20)), default=0)


@given(BLOCKS)
def test_blocks_that_are_needed_together_share_nothing(blocks: list[Block]) -> None:
    found = plan(blocks)
    placed = list(zip(blocks, found.offsets, strict=True))
    assert all(offset % ALIGNMENT == 0 and offset + block.size <= found.size for block, offset in placed)
    for (one, at), (other, where) in itertools.combinations(placed, 2):
        apart = at + one.size <= where or where + other.size <= at
        together = one.first <= other.last and other.first <= one.last
        assert apart or not together
    assert found.size >= needed(blocks)


def test_a_chain_takes_the_two_largest_neighbours() -> None:
    sizes = [640, 128, 256, 1024, 64, 16]
    chain = [Block(size, max(0, number - 1), number) for number, size in enumerate(sizes)]
    assert plan(chain).size == 256 + 1024 == needed(chain)


def test_a_skip_connection_keeps_its_memory_until_it_is_added() -> None:
    skip = [Block(512, 0, 3), Block(512, 0, 1), Block(512, 1, 2), Block(512, 2, 3), Block(512, 3, 4)]
    assert plan(skip).size == needed(skip) == 3 * 512


def test_nothing_takes_no_memory() -> None:
    assert plan([]).size == 0

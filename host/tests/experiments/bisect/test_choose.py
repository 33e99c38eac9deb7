"""Which vectors a layer is tested with: one that fails in the whole model is always among them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.experiments.bisect import choose


@given(st.lists(st.booleans(), min_size=1, max_size=100), st.integers(1, 50))
def test_failing_ones_come_first_and_no_room_is_wasted(wrong: list[bool], most: int) -> None:
    marks = np.array(wrong)
    chosen = choose(marks, most, stateful=False)
    assert len(chosen) == len(set(chosen)) == min(most, len(wrong))
    assert (np.sort(chosen) == chosen).all()
    failing, others = int(marks.sum()), int((~marks).sum())
    assert marks[chosen].sum() == min(failing, max((most + 1) // 2, most - others))


@given(st.lists(st.booleans(), min_size=1, max_size=100), st.integers(1, 50))
def test_with_a_state_all_are_sent_up_to_the_first_that_fails(wrong: list[bool], most: int) -> None:
    marks = np.array(wrong)
    chosen = choose(marks, most, stateful=True)
    until = wrong.index(True) + 1 if any(wrong) else min(most, len(wrong))
    assert chosen.tolist() == list(range(until))

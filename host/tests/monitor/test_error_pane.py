"""How far a device is from its reference, in rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.api.asking import Answer
from tinyhil.api.live_error import LiveError
from tinyhil.monitor.error_pane import histogram, text_of


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 10**6), max_size=20))
def test_each_answer_is_in_one_row(distances: dict[int, int]) -> None:
    rows = histogram(Counter(distances))
    assert sum(count for _, count, _ in rows) == sum(distances.values())
    assert rows[0][:2] == ("0", distances.get(0, 0))
    assert [bool(bar) for _, _, bar in rows] == [count > 0 for _, count, _ in rows]
    assert [row[0] for row in rows] == ["0", "1", "2-3", "4-7", "8-15", "16+"]


def test_vectors_and_nothing() -> None:
    errors = LiveError()
    assert "nothing to compare yet" in text_of(errors.figures()).plain
    errors.add([Answer(np.zeros(3), np.ones(2), np.zeros(2), None, 4, None, "")])
    text = text_of(errors.figures()).plain
    assert "0.00% exact" in text
    assert "float" not in text
    assert "4 LSB apart" in text
    assert max(map(len, text.splitlines())) < 100

"""Which vectors are sent where not all of them can be.

There is one order of all vectors, and as many as are wanted are taken from its beginning. So a run that sends fewer
sends some of those that a longer one sends, and what is expected of the latter is known for both. Vectors that were
drawn and samples alternate in it: the former, corners first, find faults, the latter show how a model does. Samples are
taken from all over the test set. A model with state is asked in a row, so it is sent the first ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
"""(vectors,), indices among all that there are, ascending."""


@dataclass(frozen=True)
class Available:
    """The vectors that there are.

    Attributes:
        count: of them.
        drawn: how many are no samples of a test set: the first ones.
        exhaustive: whether they are all inputs there are.
        in_row: whether what is answered to one depends on those before it.
    """

    count: int
    drawn: int
    exhaustive: bool
    in_row: bool

    def places(self, wanted: int) -> Places:
        """The vectors to send.

        Args:
            wanted: how many; not more than there are.
        """
        return np.sort(self._order()[:wanted])

    def _order(self) -> Places:
        everything = np.arange(self.count, dtype=np.int64)
        if self.in_row:
            return everything
        if self.exhaustive:
            return _spread(self.count)
        drawn, samples = everything[: self.drawn], self.drawn + _spread(self.count - self.drawn)
        both = min(len(drawn), len(samples))
        alternating = np.stack([samples[:both], drawn[:both]], axis=1).reshape(-1)
        return np.concatenate([alternating, drawn[both:], samples[both:]])


def _spread(count: int) -> Places:
    """All numbers below ``count``, so that each beginning is spread over them: both ends, then halves, quarters, ...

    The order of their binary digits read backwards (van der Corput's sequence).
    """
    bits = max(1, (max(count, 1) - 1).bit_length())
    backwards = np.zeros(1 << bits, np.int64)
    for bit in range(bits):
        backwards |= ((np.arange(1 << bits) >> bit) & 1) << (bits - 1 - bit)
    order = backwards[backwards < count]
    if count > 1:
        order = np.concatenate([order[:1], [count - 1], order[1:][order[1:] != count - 1]])
    return order.astype(np.int64)

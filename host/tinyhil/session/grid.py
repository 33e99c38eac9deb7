"""Which vectors go into one request: a fixed grid, so that what is asked does not depend on what was answered before.

A resumed run, and one whose port went away, asks requests that an unbroken run asks as well, and no others. Figures of
the device that are taken per request (ticks) are therefore the same however often a run was broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyhil.session.journal import Answer


@dataclass(frozen=True)
class Grid:
    """Vectors 0 to ``size`` - 1, ``size`` to 2 ``size`` - 1, and so on.

    Attributes:
        vectors: how many there are.
        size: most vectors in one request.
        output_bytes: of the answer to one vector.
    """

    vectors: int
    size: int
    output_bytes: int

    def requests(self) -> list[tuple[int, int]]:
        """First vector and number of vectors of each request."""
        return [(start, min(self.size, self.vectors - start)) for start in range(0, self.vectors, self.size)]

    def missing(self, answers: Mapping[int, Answer]) -> list[tuple[int, int]]:
        """The requests that none of the answers is an answer to."""
        return [request for request in self.requests() if not self._fits(answers.get(request[0]), request[1])]

    def _fits(self, answer: Answer | None, count: int) -> bool:
        return answer is not None and answer.count == count and len(answer.outputs) == count * self.output_bytes

"""How much of what could be asked of a device was asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """What a run has left out, because it would have taken longer than its budget.

    Attributes:
        vectors: that were sent.
        available: vectors that there were to choose from, drawn ones and samples.
        search: how many inputs a search was allowed to try beyond the vectors.
        search_wanted: how many the recipe, or the user, had asked for.
    """

    vectors: int
    available: int
    search: int
    search_wanted: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.vectors == self.available and self.search == self.search_wanted

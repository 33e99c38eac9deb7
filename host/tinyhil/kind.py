"""One row of the catalogue of errors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of error.

    Attributes:
        id: stable, ``TH-`` and three digits.
        title: what went wrong, in a few words.
        exit_code: of the process that ends by it.
        cause: what leads to it.
        steps: what to do, the most likely remedy first.
    """

    id: str
    title: str
    exit_code: int
    cause: str
    steps: tuple[str, ...]

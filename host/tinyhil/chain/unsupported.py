"""What an operator's function raises where the chain cannot compute it."""

from __future__ import annotations


class Unsupported(Exception):
    """This operator, as it stands in the model, is not computed.

    Args:
        cause: what of it, in words that follow "operator 3 MUL": "has inputs of 5 dimensions, at most 4 are computed".
        hint: what to do about it; empty for the general advice.
    """

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint

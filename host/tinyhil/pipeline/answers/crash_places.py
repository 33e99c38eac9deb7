"""A device's crash, with the places in its source, where the image that it runs is here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tinyhil import kinds
from tinyhil.errors import BlockedError


@contextlib.contextmanager
def decoding(elf: Path) -> Iterator[None]:
    """Adds to a crash that ends the context where in the source it was.

    Args:
        elf: the image that the device runs.
    """
    try:
        yield
    except BlockedError as error:
        if error.kind is kinds.CRASHES:
            from tinyhil.toolchain import backtrace  # slow, and hardly ever needed

            error.detail = "\n".join(filter(None, [backtrace.decoded(error.detail, elf), error.detail]))
        raise

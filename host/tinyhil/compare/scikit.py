"""scikit-learn, imported when a metric is wanted: its import takes about a second, which ``--help`` has not."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from tinyhil.errors import MissingToolError


@contextlib.contextmanager
def metrics() -> Iterator[Any]:
    """The module ``sklearn.metrics``, without its advice about what the data may have been meant to be.

    Raises:
        MissingToolError: scikit-learn is not installed.
    """
    try:
        import sklearn.metrics  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        raise MissingToolError("scikit-learn is not installed", hint="pip install scikit-learn") from error
    with warnings.catch_warnings():
        # A few samples of many classes look like a regression to it. What is undefined is decided by the callers.
        warnings.simplefilter("ignore", UserWarning)
        yield sklearn.metrics

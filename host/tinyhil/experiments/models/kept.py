"""Rows that an earlier call has finished: each in a file of its own, by all that it depends on.

What depends on the computer rather than on the model is not kept: a blocked run is blocked by a tool that may be
installed in the meantime, and a fault is nothing to rely on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from tinyhil import resources
from tinyhil.artifacts import hashing, store
from tinyhil.experiments.models.plan import Case
from tinyhil.experiments.models.rows import Outcome, Row
from tinyhil.options import Options, recorded
from tinyhil.pipeline import layout
from tinyhil.targets import registry

_KEPT = (Outcome.PASS, Outcome.FAIL, Outcome.REFUSED)
_TOOLS = ("bakenn", "tflite-micro")
"""Packages whose results are in a row, whatever this version of tinyhil is."""


class KeptRows:
    """The rows in one build folder.

    Args:
        options: of all runs; the build folder is among them.
    """

    def __init__(self, options: Options) -> None:
        self._options = options

    def find(self, case: Case) -> Row | None:
        """The finished row of a case; None where there is none, or something that it depends on has changed."""
        place = self._place(case)
        row = None if place is None else store.read_sealed(place, Row)
        return None if row is None else replace(row, found=True)

    def keep(self, case: Case, row: Row) -> None:
        """Keeps a row, if it is one to be kept.

        Raises:
            StorageError: the folder cannot be written.
        """
        place = self._place(case)
        if place is not None and row.outcome in _KEPT:
            store.write_sealed(place, row)

    def _place(self, case: Case) -> Path | None:
        """Where the row is kept; None where the file cannot be read."""
        try:
            depends_on = {
                "file": case.path.name,
                "model": hashing.of_file(case.path) if case.path.is_file() else None,
                "samples": None if case.samples is None else hashing.of_file(case.samples),
            }
        except OSError:
            return None
        if depends_on["model"] is None:
            return None
        key = hashing.of_json({**self._shared, **depends_on, "target": case.target, "engine": case.engine})
        return layout.of_row(self._options.build_dir, key)

    @cached_property
    def _shared(self) -> dict[str, object]:
        """What all rows depend on: tinyhil itself, the user's targets, and the options."""
        return {
            "tinyhil": _own_sources(),
            "tools": {name: version(name) for name in _TOOLS},
            "targets": {name: hashing.of_file(path) for name, path in registry.paths().items()},
            "options": {**recorded(self._options), "force": self._options.force},
        }


def _own_sources() -> str:
    """SHA-256 of everything that tinyhil consists of: package, firmware, templates."""
    trees = {
        "package": Path(resources.__file__).parent,
        **{name: resources.folder(name) for name in ("firmware", "templates")},
    }
    return hashing.of_tree(
        {
            f"{name}/{path}": content
            for name, root in trees.items()
            for path, content in resources.read_tree(root).items()
        }
    )

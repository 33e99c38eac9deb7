"""Which cell is next: so that nobody waits for what another one is making, as long as there is other work.

The model is trained and quantized below its folder's lock, by the first cell that needs it; the others find it. Until
then they would stand at that lock, each with a job of its own, while another model could be made. A board is one cell's
at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyhil.matrix.cells import Cell


class Schedule:
    """The order of the cells.

    Of cells that share a model, one on the fastest target comes first: it is sent most vectors, and what is expected of
    them is then known for all others.

    Args:
        cells: all of them.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        fastest: dict[tuple[Path, str], float] = {}
        for cell in cells:
            fastest[cell.quantized] = max(cell.pace, fastest.get(cell.quantized, 0.0))
        # The order stays as it was named, but for the first of each model.
        self._waiting = sorted(cells, key=lambda cell: cell.pace < fastest[cell.quantized])
        self._making: dict[Cell, Path] = {}
        self._made: set[tuple[Path, str]] = set()
        self._boards: dict[Cell, frozenset[str]] = {}

    @property
    def left(self) -> int:
        """How many cells have not begun."""
        return len(self._waiting)

    def take(self) -> Cell | None:
        """A cell that can begin now; None where each has to wait for one that is under way, or all have begun."""
        for cell in self._waiting:
            if self._is_free(cell):
                self._waiting.remove(cell)
                self._boards[cell] = cell.boards
                if cell.quantized not in self._made:
                    self._making[cell] = cell.models
                return cell
        return None

    def made(self, cell: Cell) -> None:
        """The cell's model is quantized, and what is expected of it is known."""
        if self._making.pop(cell, None) is not None:
            self._made.add(cell.quantized)

    def ended(self, cell: Cell) -> None:
        """The cell has ended, whatever became of it. What it did not make, the next one tries to."""
        self._making.pop(cell, None)
        self._boards.pop(cell, None)

    def _is_free(self, cell: Cell) -> bool:
        if any(cell.boards & taken for taken in self._boards.values()):
            return False
        return cell.quantized in self._made or cell.models not in self._making.values()

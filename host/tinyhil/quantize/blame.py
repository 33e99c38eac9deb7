"""Which layer TensorFlow's converter crashes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyhil import worker
from tinyhil.errors import CrashError, ModelError, TinyhilError
from tinyhil.progress import Reporter
from tinyhil.quantize import limits


def of_crash(error: CrashError, request: dict[str, Any], reporter: Reporter) -> TinyhilError:
    """What to say of a conversion that a signal has ended: the layer by its name, where one crashes alone, too.

    Args:
        request: ``model``, ``name``, ``dataset`` and ``scheme``, as for the child ``tinyhil.quantize.blame_child``.
    """
    reporter.text(f"{error.message}; now each layer is converted alone, to find the one that it crashes on")
    listening = _LastNote(reporter)
    allowed = limits.of_layers()
    try:
        worker.call(
            "tinyhil.quantize.blame_child", request, what="convert each layer alone", reporter=listening, limits=allowed
        )
    except CrashError:
        if listening.note:
            return ModelError(
                f"{request['name']}: TensorFlow's converter crashes on {listening.note}",
                hint="replace this layer; or convert the model yourself, and give the .tflite file",
                detail=error.detail,
            )
    except TinyhilError as other:
        reporter.text(other.message)
    return error


class _LastNote:
    """Passes everything on, and keeps what was done last."""

    def __init__(self, reporter: Reporter) -> None:
        self.note = ""
        self._reporter = reporter

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.note = note
        self._reporter.progress(done, total, note)

    def command(self, argv: Sequence[str]) -> None:
        self._reporter.command(argv)

    def text(self, line: str) -> None:
        self._reporter.text(line)

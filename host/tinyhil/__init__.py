"""tinyhil proves that a neural network computes on a microcontroller what it computed on your computer.

    import tinyhil

    report = tinyhil.run("sine", target="qemu-m4")
    with tinyhil.open_session("sine", target="qemu-m4") as session:
        y = session.infer([[1.57]]).real[0]

Everything is imported when it is first used: ``import tinyhil`` alone costs next to nothing. docs/api.md is the manual.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
"""As ``typing`` has it, which is not imported for it: it takes longer than the rest."""
if TYPE_CHECKING:
    from typing import Any

    from tinyhil.api import Answers, Report, Session, open_session, run
    from tinyhil.errors import BlockedError, InputError, TinyhilError
    from tinyhil.options import Options

_ERRORS = ("BlockedError", "InputError", "TinyhilError")

__all__ = [
    "Answers",
    "BlockedError",
    "InputError",
    "Options",
    "Report",
    "Session",
    "TinyhilError",
    "__version__",
    "open_session",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'tinyhil' has no attribute {name!r}")
    if name in _ERRORS:
        from tinyhil import errors as module
    elif name == "Options":
        from tinyhil import options as module  # type: ignore[no-redef]
    else:
        from tinyhil import api as module  # type: ignore[no-redef]
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

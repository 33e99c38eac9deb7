"""From a command's options to the run that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyhil.cli.session import Output
from tinyhil.options import Options

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run


def open_job(output: Output, model: str, options: Options) -> Run:
    """The run, which shows its stages on the console."""
    from tinyhil import api
    from tinyhil.cli.console import ConsoleObserver

    return api.open_run(model, options, observer=ConsoleObserver(output.console, verbose=output.verbose))

"""From a command's options to the run that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyhil.cli.session import Output

if TYPE_CHECKING:
    from tinyhil.pipeline.request import Request
    from tinyhil.pipeline.run import Run


def open_job(output: Output, request: Request) -> Run:
    """The run, which shows its stages on the console."""
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.pipeline.given import open_run

    return open_run(request, ConsoleObserver(output.console, verbose=output.verbose))

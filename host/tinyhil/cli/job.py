"""From a command's options to the run that they describe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tinyhil.cli.session import Output
from tinyhil.options import Options

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run


def open_job(output: Output, model: str, options: Options) -> Run:
    """The run, which shows its stages on the console.

    Raises:
        ConfigError: one file is to take both the recording and the result.
    """
    from tinyhil import api, kinds
    from tinyhil.cli.console import ConsoleObserver
    from tinyhil.errors import ConfigError

    named = [os.path.realpath(path) for path in (output.json_path, options.record) if path is not None]
    if len(set(named)) < len(named):
        raise ConfigError(
            f"--json and --record both name {options.record}",
            hint="name two files: the second would overwrite the first",
            kind=kinds.CONTRADICTION,
        )

    return api.open_run(model, options, observer=ConsoleObserver(output.console, verbose=output.verbose))

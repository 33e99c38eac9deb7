"""The command ``arena``: the smallest working memory with which the engine computes everything right."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.options import Level, Options

ENGINE = "tflm"
"""Whose arena is searched where no engine is named: the one that has one."""


@takes_options(Level.DEVICE, flash=True, search=0)
def arena(
    output: Output,
    options: Options,
    model: MODEL,
    headroom: Annotated[
        float, typer.Option("--headroom", min=0, max=10, help="Share of the smallest size to add as a reserve.")
    ] = 0.1,
    capacity: Annotated[
        int | None,
        typer.Option(
            "--capacity",
            min=16,
            metavar="BYTES",
            help="Bytes to search in.  [default: twice what the model is estimated to need]",
        ),
    ] = None,
) -> None:
    """Find the smallest arena with which the engine starts *and* computes every output exactly, on the target itself.

    Sizes are tried over the link, without a new build. The result, plus headroom, is kept in
    BUILD_DIR/RECIPE/TARGET/arena.json and used by the next build. The engine is **tflm** unless **--engine** names
    another.

    **Example**

    tinyhil arena sine --target qemu-m4
    """
    from tinyhil.cli.console import show_rows
    from tinyhil.experiments.arena import size_arena

    options = replace(options, engine=options.engine or ENGINE)
    found = size_arena(open_job(output, model, options), capacity, headroom)
    sizing = found.sizing
    said = "nothing"
    if sizing.said:
        share = 100 * (sizing.said - sizing.smallest) / sizing.smallest
        said = f"{sizing.said:,} B, {share:+.0f} % of the smallest"
    output.console.print()
    show_rows(
        output.console,
        [
            ("smallest", f"{sizing.smallest:,} B: every output exact, no write past its end"),
            ("engine reports", said),
            ("chosen", f"{found.bytes:,} B, with {100 * found.headroom:g} % headroom"),
            ("kept in", str(found.file)),
        ],
    )
    output.write_json(
        {
            "smallest": sizing.smallest,
            "said": sizing.said,
            "bytes": found.bytes,
            "headroom": found.headroom,
            "capacity": sizing.capacity,
            "file": str(found.file),
            "attempts": [
                {"size": each.size, "outcome": each.outcome.name.lower(), "note": each.note} for each in sizing.attempts
            ],
        }
    )

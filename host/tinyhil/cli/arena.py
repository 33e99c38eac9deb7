"""The command ``arena``: the smallest working memory in which the engine computes everything right."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyhil.cli.session import (
    BUILD_DIR,
    DEFAULT_TARGET,
    BuildDirOption,
    DataOption,
    EngineOption,
    JsonOption,
    PortOption,
    RecipeArgument,
    SchemeOption,
    TargetOption,
    VerboseOption,
    command,
)


def arena(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = "tflm",
    scheme: SchemeOption = None,
    port: PortOption = None,
    headroom: Annotated[
        float, typer.Option("--headroom", min=0, max=10, help="Share of the smallest size that is added to it.")
    ] = 0.1,
    capacity: Annotated[
        int | None,
        typer.Option(
            "--capacity", min=16, help="Bytes to search in.  [default: twice what the model is estimated to need]"
        ),
    ] = None,
    data: DataOption = None,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Find the smallest arena in which the engine starts *and* gives every output exactly, on the target itself.

    Sizes are tried over the link, without building anew. What is found, plus headroom, is kept in
    BUILD_DIR/RECIPE/TARGET/arena.json and used from the next build on.

    Example: **tinyhil arena sine --target qemu-m4**
    """
    with command(json, verbose=verbose) as output:
        from tinyhil.cli.console import ConsoleObserver, show_rows
        from tinyhil.pipeline.arena import ArenaRun
        from tinyhil.pipeline.request import Request

        request = Request(recipe, target, engine, scheme, build_dir, port, data=data, flash=True)
        found = ArenaRun(request, ConsoleObserver(output.console, verbose=output.verbose)).size(capacity, headroom)
        sizing = found.sizing
        said = "nothing"
        if sizing.said:
            share = 100 * (sizing.said - sizing.smallest) / sizing.smallest
            said = f"{sizing.said:,} B, {share:+.0f} % of the smallest"
        output.console.print()
        show_rows(
            output.console,
            [
                ("smallest", f"{sizing.smallest:,} B: every output exact, nothing written behind it"),
                ("engine says", said),
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
                    {"size": each.size, "outcome": each.outcome.name.lower(), "note": each.note}
                    for each in sizing.attempts
                ],
            }
        )

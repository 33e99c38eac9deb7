"""The command ``plots``: the pictures of a recipe."""

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


def plots(
    recipe: RecipeArgument,
    target: TargetOption = DEFAULT_TARGET,
    engine: EngineOption = None,
    scheme: SchemeOption = None,
    data: DataOption = None,
    port: PortOption = None,
    host_only: Annotated[
        bool, typer.Option("--host-only", help="Build nothing and ask no device: only what the host's models give.")
    ] = False,
    build_dir: BuildDirOption = BUILD_DIR,
    json: JsonOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Draw the training, the predictions, and the errors of quantization and device, as PNG and SVG.

    The training and the float model are in BUILD_DIR/RECIPE/plots, what the quantized model and the device make of the
    same test set in BUILD_DIR/RECIPE/TARGET/plots. What has not been trained, built and run yet is done first.

    Example: **tinyhil plots sine**, **tinyhil plots recurrent --host-only**
    """
    with command(json, verbose=verbose) as output:
        from tinyhil.cli.console import ConsoleObserver
        from tinyhil.pipeline import plots as pictures
        from tinyhil.pipeline.request import Request
        from tinyhil.pipeline.run import Run

        request = Request(recipe, target, engine, scheme, build_dir, port=port, data=data, flash=True)
        observer = ConsoleObserver(output.console, verbose=output.verbose)
        made = pictures.draw(Run(request, observer), observer, device=not host_only)
        output.console.print()
        for picture in made:
            # The SVG lies beside it under the same name.
            output.console.print(f"{picture.files[0]}", style="bold", markup=False, soft_wrap=True, highlight=False)
            output.console.print(f"    {picture.shows}", markup=False, soft_wrap=True, highlight=False)
        output.write_json(
            [{"files": [str(file) for file in picture.files], "shows": picture.shows} for picture in made]
        )

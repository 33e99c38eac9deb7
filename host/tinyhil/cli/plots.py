"""The command ``plots``: the pictures of a model."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.options import Level, Options


@takes_options(Level.DEVICE, flash=True, search=0)
def plots(
    output: Output,
    options: Options,
    model: MODEL,
    host_only: Annotated[
        bool, typer.Option("--host-only", help="Only the pictures that need no device; nothing is built.")
    ] = False,
) -> None:
    """Draw the training, the predictions, and the errors of quantization and device, as PNG and SVG.

    Pictures of the training and the float model go to BUILD_DIR/RECIPE/plots, those of the quantized model and the
    device to BUILD_DIR/RECIPE/TARGET/plots. Training, build and run are done first where they are missing.

    A .keras file has no training history and a .tflite file no float model: those pictures are left out.

    **Examples**

    tinyhil plots sine

    tinyhil plots recurrent --host-only
    """
    from tinyhil.experiments import pictures

    job = open_job(output, model, options)
    made = pictures.draw(job, device=not host_only)
    output.console.print()
    sha256 = job.quantize().sha256
    output.console.print(f"of the model with sha256 {sha256}", markup=False, soft_wrap=True, highlight=False)
    for picture in made:
        # The SVG lies beside it under the same name.
        output.console.print(f"{picture.files[0]}", style="bold", markup=False, soft_wrap=True, highlight=False)
        output.console.print(f"    {picture.shows}", markup=False, soft_wrap=True, highlight=False)
    output.write_json(
        [
            {"files": [str(file) for file in picture.files], "shows": picture.shows, "model_sha256": sha256}
            for picture in made
        ]
    )

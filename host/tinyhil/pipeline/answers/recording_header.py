"""What a recording says of the run: enough to judge it again without a device and without a build."""

from __future__ import annotations

from pathlib import Path

from tinyhil.artifacts.types import FirmwareImage, QuantizedModel
from tinyhil.options import Options, recorded
from tinyhil.pipeline.answers.base import Firmware
from tinyhil.session import journal
from tinyhil.session.journal import Origin
from tinyhil.session.recording import Header


def origin(model: QuantizedModel, image: FirmwareImage) -> Origin:
    """What the answers of a run are for."""
    return Origin(model.sha256, image.project_sha256, image.sha256, journal.of_vectors(model.vectors))


def header(
    recipe: str, file: str, options: Options, model: QuantizedModel, firmware: Firmware, searched: int
) -> Header:
    """The recording's head.

    Args:
        recipe: name of the recipe, or of the user's model.
        file: the user's own file that is run instead of a recipe; empty for a recipe.
        options: with target, engine, scheme and line said.
        model: what the device is judged by.
        firmware: what it runs.
        searched: how many inputs are to be tried beyond the vectors.
    """
    project, image = firmware.project, firmware.image
    return Header(
        recipe=recipe,
        target=options.target,
        engine=options.engine or "",
        scheme=options.scheme or "",
        origin=origin(model, image),
        kernels=project.kernels,
        flash_bytes=image.flash_bytes,
        ram_bytes=image.ram_bytes,
        sections=image.sections,
        tool_versions=image.tool_versions,
        tool_sha256=image.tool_sha256,
        search=searched,
        model=file,
        samples=_whole(options.samples),
        data=_whole(options.data),
        options=recorded(options),
    )


def _whole(path: Path | None) -> str:
    """A path that leads to the same file from another folder."""
    return "" if path is None else str(path.resolve())

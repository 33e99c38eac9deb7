"""What a recording says of the run: enough to judge it again without a device and without a build."""

from __future__ import annotations

from pathlib import Path

from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.pipeline.request import Request
from tinyhil.session import journal
from tinyhil.session.journal import Origin
from tinyhil.session.recording import Header


def origin(model: QuantizedModel, image: FirmwareImage) -> Origin:
    """What the answers of a run are for."""
    return Origin(model.sha256, image.project_sha256, image.sha256, journal.of_vectors(model.vectors))


def header(recipe: str, request: Request, model: str, project: Project, image: FirmwareImage, of: Origin) -> Header:
    """The recording's head.

    Args:
        recipe: name of the recipe, or of the user's model.
        request: with everything in it that has a default said.
        model: the user's own file that is run instead of a recipe; empty for a recipe.
    """
    return Header(
        recipe=recipe,
        target=request.target,
        engine=request.engine or "",
        scheme=request.scheme or "",
        origin=of,
        kernels=project.kernels,
        flash_bytes=image.flash_bytes,
        ram_bytes=image.ram_bytes,
        sections=image.sections,
        tool_versions=image.tool_versions,
        tool_sha256=image.tool_sha256,
        search=request.search or 0,
        model=model,
        samples=_whole(request.samples),
        data=_whole(request.data),
    )


def _whole(path: Path | None) -> str:
    """A path that leads to the same file from another folder."""
    return "" if path is None else str(path.resolve())

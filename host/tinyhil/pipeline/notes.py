"""What is worth saying of what a stage has made, in one line."""

from __future__ import annotations

from tinyhil import kinds
from tinyhil.affine import TensorSpec
from tinyhil.artifacts.retries import Retries
from tinyhil.artifacts.types import FirmwareImage, FloatModel, Vectors
from tinyhil.link.frames import MAX_PAYLOAD
from tinyhil.pipeline.run_search import RunSearch
from tinyhil.session.journal import Journal


def of_image(image: FirmwareImage) -> str:
    """What an image takes."""
    if image.flash_bytes is None or image.ram_bytes is None:
        return f"nothing to compile: {image.elf.parent} runs as it is"
    return f"flash {image.flash_bytes:,} B, RAM {image.ram_bytes:,} B"


def of_training(model: FloatModel) -> str:
    """Figures of the test set, or of the training where it has none."""
    judged = {name: value for name, value in model.metrics.items() if name.startswith("test_")} or model.metrics
    shown = ", ".join(f"{name} {value:.4f}" for name, value in judged.items())
    return f"{shown}; {model.diagnosis['kind']}"


def of_vectors(vectors: Vectors) -> str:
    """How many are sent."""
    return f"{vectors.count:,} of {vectors.available:,} vectors" if vectors.available else f"{vectors.count} vectors"


def of_floats(output: TensorSpec, engine: str) -> str:
    """Why an output of floats is hardly ever equal to the reference's, and what may be done."""
    return (
        f"the output {output.name!r} is float32, and {engine!r} on a chip rounds otherwise than the reference: "
        "--max-lsb says how many units in the last place (ULP) apart is near enough"
    )


def of_plan(vectors: Vectors, searched: int, seconds: float, raw: int = 0) -> str:
    """What is about to be asked, ``raw`` samples among it, and how long that is reckoned to take."""
    search = f" and a search of {searched:,} inputs" if searched else ""
    samples = f", then {raw:,} raw samples" if raw else ""
    more = "; --vectors all sends all of them" if vectors.available else ""
    return f"{of_vectors(vectors)}{search}{samples}, about {_in_words(seconds)}{more}"


def _in_words(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{round(seconds / 60)} min"


def of_session(count: int, kept: Journal, search: RunSearch | None) -> str:
    """What was asked."""
    text = f"{count} vectors"
    if kept.afresh:
        text += f" (nothing was resumed: {kept.afresh})"
    elif kept.resumed:
        text += f", {kept.resumed} of them from the journal"
    return text + of_search(search)


def of_lengths(longest_payload: int) -> str:
    """That long requests were lost, where they were; to be added to a line."""
    if longest_payload == MAX_PAYLOAD:
        return ""
    return f"; long requests were lost ({kinds.LONG_LOST.id}), so none had more than {longest_payload} bytes"


def of_retries(found: Retries) -> str:
    """What was done again, to be added to a line."""
    return "".join(f"; {words}: {getattr(found, name)}" for name, words in found.shown)


def of_search(search: RunSearch | None) -> str:
    """What was tried beyond the vectors, to be added to a line."""
    found = None if search is None else search.found
    return "" if found is None else f", and {found.tried} more searched"

"""The pictures of a recipe: its training, what its models predict, and what quantization and the device add.

::

    build/<recipe>/plots/            the training and the float model
    build/<recipe>/<target>/plots/   the quantized model, and the device's outputs beside the other two

Which pictures there are follows from what there is: a curve for each figure that was kept by epoch, the confusion
matrix and the report of a classifier, the predictions of a regression, and of those over the input where that is one
number. What is predicted is always the test set. A recipe that trains by its own loop gets a trace of its steps, or
what its function ``pictures`` draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyhil.artifacts import store
from tinyhil.config import recipe as recipes
from tinyhil.pipeline import pictures
from tinyhil.pipeline.request import Observer
from tinyhil.pipeline.run import Run
from tinyhil.progress import Reporter

FOLDER = "plots"
_SUFFIXES = (".png", ".svg", ".txt")


@dataclass(frozen=True)
class Picture:
    """One picture or text.

    Attributes:
        files: its PNG and its SVG; or the text.
        shows: what, in a sentence.
    """

    files: tuple[Path, ...]
    shows: str


def draw(run: Run, observer: Observer, *, device: bool = True) -> tuple[Picture, ...]:
    """Draws all pictures of the recipe of ``run``; those of an earlier call are removed.

    Args:
        run: the recipe, and where it runs.
        observer: who is told.
        device: whether the device is asked, or only the host's models are shown.

    Raises:
        ConfigError: the recipe's classes do not fit its model, it is shown beside no recipe, or its own pictures fail.
        MissingToolError: matplotlib or scikit-learn is not installed.
        As ``Run.quantize``, and with ``device`` as ``Run.capture``.
    """
    code = recipes.load_code(recipes.code_path(run.recipe_path, run.recipe))
    shown = [pictures.shown_of(run)]
    if run.recipe.beside is not None:
        other = Run(replace(run.request, recipe=run.recipe.beside, scheme=None), _Beside(observer, run.recipe.beside))
        shown.insert(0, pictures.shown_of(other))
    folder = run.request.build_dir / run.recipe.name / FOLDER
    made = _stage(observer, folder, [*pictures.training(code, shown, folder), *pictures.floats(run, shown)])
    capture = run.capture() if device else None
    return made + _stage(observer, run.folder / FOLDER, [*pictures.quantized(run, shown[-1], capture)])


def _stage(observer: Observer, folder: Path, planned: Sequence[tuple[str, str, pictures.Draw]]) -> tuple[Picture, ...]:
    """Draws what is planned into a folder in which nothing else is left."""
    with observer.stage("plots") as reporter:
        made = tuple(_drawn(folder, planned, reporter))
        kept = {path for picture in made for path in picture.files}
        with store.storage(folder):
            for path in folder.glob("*"):
                if path.suffix in _SUFFIXES and path not in kept:
                    path.unlink()
        observer.result(f"{len(made)} in {folder}", found=False)
    return made


def _drawn(folder: Path, planned: Sequence[tuple[str, str, pictures.Draw]], reporter: Reporter) -> Iterator[Picture]:
    for number, (name, shows, make) in enumerate(planned):
        reporter.progress(number, len(planned), name)
        make(folder / name)
        suffixes = (".txt",) if name == pictures.REPORT else (".png", ".svg")
        yield Picture(tuple(folder / f"{name}{suffix}" for suffix in suffixes), shows)


class _Beside:
    """Passes on what another recipe's run tells, with its name."""

    def __init__(self, observer: Observer, recipe: str) -> None:
        self._observer = observer
        self._recipe = recipe
        self.stage = observer.stage
        self.warning = observer.warning

    def result(self, note: str, *, found: bool) -> None:
        self._observer.result(f"{self._recipe}: {note}", found=found)

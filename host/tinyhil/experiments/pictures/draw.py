"""The pictures of a model: its training, what its models predict, and what quantization and the device add.

Which pictures there are follows from what there is: a curve for each figure that was kept by epoch, the confusion
matrix and the report of a classifier, the predictions of a regression, and of those over the input where that is one
number. What is predicted is always the test set. A recipe that trains by its own loop gets a trace of its steps, or
what its function ``pictures`` draws. Of a .keras file there are those of its predictions and of quantization, of a
.tflite file those of quantization and device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyhil.artifacts import store
from tinyhil.experiments.pictures import plans
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources import RecipeSource, TfliteFile
from tinyhil.progress import Reporter

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


def draw(run: Run, *, device: bool = True) -> tuple[Picture, ...]:
    """Draws all pictures of the model of ``run``; those of an earlier call are removed.

    Args:
        run: the model, and where it runs.
        device: whether the device is asked, or only the host's models are shown.

    Raises:
        ConfigError: the recipe's classes do not fit its model, it is shown beside no recipe, or its own pictures fail.
        MissingToolError: matplotlib or scikit-learn is not installed.
        As ``Run.quantize``, and with ``device`` as ``Run.capture``.
    """
    made: tuple[Picture, ...] = ()
    own = None
    if not isinstance(run.source, TfliteFile):
        own = plans.shown_of(run)
        shown, folder = [*_beside(run), own], run.layout.model_plots
        code = run.source.code if isinstance(run.source, RecipeSource) else None
        made = _stage(run.observer, folder, [*plans.training(code, shown, folder), *plans.floats(run, shown)])
    capture = run.capture() if device else None
    return made + _stage(run.observer, run.layout.target_plots, [*plans.quantized(run, own, capture)])


def _beside(run: Run) -> list[plans.Shown]:
    """The model of the recipe that this one is shown beside, if it names one."""
    name = run.source.recipe.beside
    if name is None:
        return []
    options = replace(run.options, scheme=None)
    return [plans.shown_of(open_run(name, options, _NamedObserver(run.observer, name)))]


def _stage(observer: Observer, folder: Path, planned: Sequence[tuple[str, str, plans.Draw]]) -> tuple[Picture, ...]:
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


def _drawn(folder: Path, planned: Sequence[tuple[str, str, plans.Draw]], reporter: Reporter) -> Iterator[Picture]:
    for number, (name, shows, make) in enumerate(planned):
        reporter.progress(number, len(planned), name)
        make(folder / name)
        suffixes = (".txt",) if name == plans.REPORT else (".png", ".svg")
        yield Picture(tuple(folder / f"{name}{suffix}" for suffix in suffixes), shows)


class _NamedObserver:
    """Passes on what another recipe's run tells, with its name."""

    def __init__(self, observer: Observer, recipe: str) -> None:
        self._observer = observer
        self._recipe = recipe
        self.stage = observer.stage
        self.announcement = observer.announcement
        self.warning = observer.warning

    def result(self, note: str, *, found: bool) -> None:
        self._observer.result(f"{self._recipe}: {note}", found=found)

"""The way to the first layer whose output differs, and to the bundle that shows it again.

A layer is blamed only when its own output was seen to differ and what it reads was seen to be exact
(``tinyhil.compare.blame``), over the same vectors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds, tflite
from tinyhil.artifacts import lock, store
from tinyhil.artifacts.types import Array, QuantizedModel
from tinyhil.compare import blame, layer
from tinyhil.compare.bisection import Bisection, DeviceSide
from tinyhil.errors import BlockedError, ConfigError
from tinyhil.experiments.bisect import bundle as bundles
from tinyhil.experiments.bisect.image import Image
from tinyhil.experiments.bisect.layers import BUILT_FROM, Layers, compared
from tinyhil.options import Options
from tinyhil.pipeline import stored_bisection
from tinyhil.pipeline.observer import NestedObserver, Observer
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.progress import Silent
from tinyhil.report import bisection as words


@dataclass(frozen=True)
class BisectOptions:
    """How to look.

    Attributes:
        every: test every layer, whether the whole model differs or not.
        vectors: how many each layer is tested with.
        max_lsb: differences up to this many LSB are none.
    """

    every: bool = False
    vectors: int = 32
    max_lsb: int = 0


@dataclass(frozen=True)
class Outcome:
    """A bisection and where it is kept.

    Attributes:
        bisection: what was found.
        file: the same as JSON.
        bundle: folder of the repro bundle, None where there is nothing to reproduce.
        rerun: what became of the bundle when it was rerun at once, None where it could not be.
        project: of an image that would tell the layer, where one that was built elsewhere does not.
    """

    bisection: Bisection
    file: Path
    bundle: Path | None
    rerun: bundles.Rerun | None
    project: Path | None = None


class Bisect:
    """One bisection.

    Args:
        model: name of a recipe, or a path to a model file.
        sides: options of the device to be compared with the reference, or of the two to be compared with each other.
        wanted: how to look.
        observer: told of the stages and of each layer.

    Raises:
        ConfigError: as ``open_run``; both sides are the same device; or there are two, and an image is named.
    """

    def __init__(self, model: str, sides: Sequence[Options], wanted: BisectOptions, observer: Observer) -> None:
        self._runs = [_open(model, options, observer) for options in sides]
        self._wanted = wanted
        self._observer = observer
        if any(options.firmware is not None for options in sides) and (len(sides) > 1 or sides[0].built_from):
            raise ConfigError(
                "--firmware names the one image that is compared with the reference",
                hint="leave out --engine-a, --engine-b, --target-a and --target-b",
                kind=kinds.CONTRADICTION,
            )
        if len({(run.target.name, run.engine) for run in self._runs}) < len(self._runs):
            raise ConfigError(
                f"both sides are {self._runs[0].target.name} with the engine {self._runs[0].engine!r}",
                hint="let --engine-a and --engine-b or the targets differ",
                kind=kinds.CONTRADICTION,
            )

    def run(self) -> Outcome:
        """Looks for the layer.

        Raises:
            BlockedError: something could not be carried out.
            ConfigError: the two sides do not run the same model file.
            ModelError: an engine does not compute the model right, and the options do not force it.
        """
        if self._runs[0].options.firmware is not None:
            return self._of_image(self._runs[0])
        model, expected, actual = self._whole()
        wrong = layer.differing(actual, expected, self._wanted.max_lsb)
        whole = layer.difference(actual, expected, model.outputs, self._wanted.max_lsb)
        looking = whole.differs or self._wanted.every
        chosen = choose(wrong, self._wanted.vectors, stateful=tflite.stateful(model.ops)) if looking else np.arange(0)
        layers = Layers(self._runs, model, chosen, self._wanted.max_lsb, self._observer)
        with contextlib.ExitStack() as held:
            blamed = None
            if looking:
                with self._observer.stage("cut") as reporter:
                    for run in self._runs:
                        held.enter_context(lock.exclusive(run.layout.bisect, reporter.text))
                    count = len(layers.graph.operators)
                    self._observer.result(f"{count} layers, {len(chosen)} vectors for each", found=False)
                together = layers.ask_all()
                blamed = self._blamed(layers, whole)
                if together and blamed is None and whole.differs:
                    layers.forget()
                    blamed = self._blamed(layers, whole)
            found = self._found(layers, chosen, whole, blamed, every=self._wanted.every)
            place = stored_bisection.save(found, self._runs[-1].layout)
            outcome = Outcome(found, place, None, None)
            probe = None if blamed is None else layers.tested.get(blamed.operator)
            if blamed is None or probe is None or probe.difference is None or not probe.difference.differs:
                return outcome
            return self._bundled(outcome, layers, blamed.operator, stateful=tflite.stateful(model.ops))

    def _of_image(self, run: Run) -> Outcome:
        """What an image that was built elsewhere tells; there is nothing to reproduce, but the image itself."""
        with lock.exclusive(run.layout.bisect, Silent().text):
            image = Image(run, self._wanted.max_lsb, self._observer)
            every = bool(image.layers.tested)
            chosen = np.arange(image.model.vectors.count if every else 0)
            found = self._found(image.layers, chosen, image.whole, image.blamed, every=every)
        return Outcome(found, stored_bisection.save(found, run.layout), None, None, image.project)

    def _found(
        self,
        layers: Layers,
        chosen: npt.NDArray[np.intp],
        whole: layer.LayerDifference,
        blamed: blame.Blame | None,
        *,
        every: bool,
    ) -> Bisection:
        model = self._runs[0].quantize()
        return Bisection(
            recipe=model.recipe,
            model_sha256=model.sha256,
            reference=model.reference,
            sides=tuple(map(_side, self._runs)),
            tolerance_lsb=self._wanted.max_lsb,
            every=every,
            exhaustive=model.vectors.exhaustive,
            whole=whole,
            vectors=tuple(int(number) for number in chosen),
            layers=layers.described(),
            tested=tuple(layers.tested[operator] for operator in sorted(layers.tested)),
            blame=blamed,
            prebuilt=self._runs[0].options.firmware is not None,
        )

    def _whole(self) -> tuple[QuantizedModel, tuple[Array, ...], tuple[Array, ...]]:
        """The model, what is expected of it and what came, all vectors of it."""
        models = [run.quantize() for run in self._runs]
        if len({model.sha256 for model in models}) > 1:
            paths = [str(model.path) for model in models]
            raise ConfigError(
                f"the two sides would run {' and '.join(paths)}, because their engines take different exports",
                hint=f"bisect one of them: tinyhil bisect {paths[0]}",
            )
        captures = []
        for run in self._runs:
            captures.append(run.capture())
            run.conclude()
        return models[0], *compared(models[0], captures)

    def _blamed(self, layers: Layers, whole: layer.LayerDifference) -> blame.Blame | None:
        start = self._start(layers, whole)
        return None if start is None else blame.search(tflite.sources(layers.graph), start, layers.ask)

    def _start(self, layers: Layers, whole: layer.LayerDifference) -> int | None:
        """An operator that differs, from which the search goes upwards; None if none does."""
        graph = layers.graph
        if self._wanted.every:
            answers = [layers.ask(operator.index) for operator in graph.operators]
            if blame.DIFFERS in answers:
                return answers.index(blame.DIFFERS)
        if whole.first is None:
            return None
        output = graph.outputs[whole.first.output]
        return next(operator.index for operator in graph.operators if output in operator.outputs)

    def _bundled(self, outcome: Outcome, layers: Layers, operator: int, *, stateful: bool) -> Outcome:
        """Makes the bundle of a layer that differs, and tries it."""
        max_lsb = self._wanted.max_lsb
        bundle = outcome.file.parent / bundles.FOLDER
        with self._observer.stage("bundle") as reporter:
            seen = layers.reproduce(operator, reporter)
            shown = layer.difference(seen.actual, seen.expected, seen.prefix.outputs, max_lsb).first
            assert shown is not None
            # All layers share one project, so that of this one is rendered again.
            devices = [(run.target, run.render(), run.build()) for run in layers.runs(operator, reporter)]
            evidence = bundles.evidence(
                seen.prefix, seen.expected, seen.actual, shown.vector, stateful=stateful, max_lsb=max_lsb
            )
            bundles.write(bundle, words.finding(outcome.bisection), evidence, devices)
            try:
                again = bundles.rerun(bundle, self._runs[-1].options.port, NestedObserver(reporter))
            except BlockedError as error:  # what was found stays found
                self._observer.warning(f"the bundle could not be tried: {error.message}")
                again = None
            self._observer.result(f"{bundle}, {again.told if again else 'not tried'}", found=False)
        return replace(outcome, bundle=bundle, rerun=again)


def choose(wrong: npt.NDArray[np.bool_], most: int, *, stateful: bool) -> npt.NDArray[np.intp]:
    """Which vectors a layer is tested with: those that differ, then others, spread evenly; in their order.

    Args:
        wrong: (vectors,), which of them differ in the whole model.
        most: how many are chosen.
        stateful: whether an answer depends on all before it; then the first ones are chosen, up to the first that
            differs, however many these are.
    """
    if stateful:
        until = int(wrong.argmax()) + 1 if wrong.any() else most
        return np.arange(min(until, len(wrong)))
    # Half of the room is for vectors that differ, more where the others do not fill theirs.
    failing, others = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    kept = failing[: max((most + 1) // 2, most - len(others))]
    room = min(most - len(kept), len(others))
    spread = others[np.linspace(0, len(others) - 1, room).round().astype(np.intp)] if room else others[:0]
    return np.sort(np.concatenate([kept, spread]))


def _open(model: str, options: Options, observer: Observer) -> Run:
    """The run of the whole model; what it is built from is rewritten as the model itself is."""
    run = open_run(model, options, observer)
    if options.built_from is None:
        return run
    try:
        content = options.built_from.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read {options.built_from}: {error.strerror}", hint="paths are relative to the current folder"
        ) from error
    place = run.layout.bisect / BUILT_FROM
    store.write_bytes(place, tflite.rewrite(content, str(options.built_from))[0])
    return open_run(model, replace(options, built_from=place), observer)


def _side(run: Run) -> DeviceSide:
    project = run.firmware().project
    return DeviceSide(run.target.name, run.engine, project.kernels, project.sha256)

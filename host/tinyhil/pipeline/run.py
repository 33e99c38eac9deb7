"""The way from a model to a report, stage by stage, each carried out only if its inputs have changed.

A run is composed: a **source** says where the model comes from, a **device copy** what the device is built from,
**answers** who answers, a **layout** where everything is put, **options** the rest. What is made is remembered, so that
a report can be written even of a run that was blocked half-way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import final

import msgspec

from tinyhil import preflight, tflite
from tinyhil.affine import DType
from tinyhil.artifacts import lock, store
from tinyhil.artifacts.types import Capture, FirmwareImage, FloatModel, Problem, Project, QuantizedModel
from tinyhil.build import build, prebuilt
from tinyhil.compare.scope import Scope
from tinyhil.compare.search import Wanted
from tinyhil.compare.verdict import Report
from tinyhil.config.recipe import Demo, Fidelity
from tinyhil.errors import BlockedError, ConfigError
from tinyhil.link.messages import Welcome
from tinyhil.options import Options
from tinyhil.pipeline import notes, run_preprocessing, stored_bisection
from tinyhil.pipeline.answers import Answers, Firmware, LiveDevice, Question, RunningDevice, recording_header
from tinyhil.pipeline.device_copy import DeviceCopy
from tinyhil.pipeline.layout import Layout
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.placement import Placement
from tinyhil.pipeline.run_search import RunSearch, why_not
from tinyhil.pipeline.sources import ModelSource
from tinyhil.pipeline.stages import Stages
from tinyhil.progress import Reporter
from tinyhil.quantize.quantized_folder import inference
from tinyhil.render import PROJECT, render
from tinyhil.report import assemble, files
from tinyhil.report.assemble import Evidence
from tinyhil.session import Identity, journal
from tinyhil.targets.model import Target
from tinyhil.toolchain import platformio
from tinyhil.verify import verify


@final
class Run:
    """One run. Each method makes what it names, and before it all that it needs.

    Args:
        source: where the model comes from.
        copy: what the device is built from.
        answers: who answers.
        placement: target and engine.
        layout: where everything is put.
        options: the rest of what was asked for.
        stages: tell of what is done, and remember it; the source has the same.

    Attributes:
        concluded: what ``verify`` has found, of a blocked run too, and when; None before.
    """

    concluded: tuple[Report, files.Took] | None = None

    def __init__(
        self,
        source: ModelSource,
        copy: DeviceCopy,
        answers: Answers,
        placement: Placement,
        layout: Layout,
        options: Options,
        stages: Stages,
    ) -> None:
        self.source = source
        self.answers = answers
        self.placement = placement
        self.layout = layout
        self.options = options
        self._copy = copy
        self._stages = stages
        self._evidence = Evidence(line=answers.line, strict=options.strict)

    @property
    def name(self) -> str:
        """Name of the recipe, or of the user's model."""
        return self.source.recipe.name

    @property
    def target(self) -> Target:
        """The target's facts."""
        return self.placement.target

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.placement.engine_name

    @property
    def fidelity(self) -> Fidelity:
        """What is asked of the device against the reference: the recipe's, or the option's."""
        asked, allowed = self.source.recipe.fidelity, self.options.max_lsb
        return asked if allowed is None else msgspec.structs.replace(asked, max_lsb=allowed)

    @property
    def observer(self) -> Observer:
        """Who is told of the stages."""
        return self._stages.observer

    @property
    def evidence(self) -> Evidence:
        """The artifacts that there are so far."""
        asked = self.source.asked()
        return replace(
            self._evidence,
            trained=self.source.trained,
            source_sha256=asked.source_sha256,
            samples_sha256=asked.samples_sha256,
            retries=self.answers.retries.so_far,
            raw_files=run_preprocessing.files(self.options),
        )

    @property
    def live(self) -> LiveDevice:
        """The device that answers.

        Raises:
            ConfigError: it is a recording.
        """
        if not isinstance(self.answers, LiveDevice):
            raise ConfigError(
                f"this run of {self.name} is a replay: a recording answers, and no device",
                hint="run the model on its target",
            )
        return self.answers

    def train(self) -> FloatModel:
        """The float model with its samples.

        Raises:
            ConfigError: there is none.
        """
        return self.source.float_model()

    def quantize(self) -> QuantizedModel:
        """The quantized model with its vectors and reference outputs."""
        model = self.source.quantized()
        self._evidence = replace(self._evidence, model=model)
        return model

    def problems(self) -> tuple[Problem, ...]:
        """What keeps the engine from computing the quantized model right."""
        content, name = self.source.content()

        def work(_: Reporter) -> tuple[tuple[Problem, ...], bool, str]:
            found = preflight.check(content, name, self.target, self.engine)
            outcome = f"{len(found)} problem{'s' if len(found) > 1 else ''}" if found else "ok"
            return (
                found,
                False,
                f"{outcome}, {preflight.summary(tflite.parse(content, name), self.target, self.engine)}",
            )

        return self._stages.once("preflight", work)

    def preflight(self) -> QuantizedModel:
        """The quantized model, if the engine computes it right or the options force it.

        Raises:
            ModelError: it does not; the message lists all problems.
        """
        problems = self.problems()
        if problems and not self.options.force:
            content, name = self.source.content()
            with self.observer.stage("takers"):
                nearest = preflight.nearest(content, name, self.target)
                self.observer.result(f"{len(nearest)} engines of targets take the model", found=False)
            raise preflight.refusal(problems, name, self.engine, self.target.name, nearest)
        if problems != self._evidence.forced:
            self._evidence = replace(self._evidence, forced=problems)
            for problem in problems:
                self.observer.warning(f"forced in spite of: {problem.cause}")
        model = self.quantize()
        if "float32" in self.placement.engine.also and not self.fidelity.max_lsb:
            for spec in model.outputs:
                if spec.dtype is DType.FLOAT32:
                    self.observer.warning(notes.of_floats(spec, self.engine))
        return model

    def render(self, arena_bytes: int | None = None) -> Project:
        """The PlatformIO project.

        Args:
            arena_bytes: size of the engine's arena; None for what was found for the model, or the estimate.
        """
        model = self._copy.model(self.preflight())

        def work(reporter: Reporter) -> tuple[Project, bool, str]:
            with lock.exclusive(self.layout.target, reporter.text):
                place, demo, form = self.layout.project, self._demo(model), self.placement.form
                project, found = render(model, self.target, self.engine, place, demo, arena_bytes, form)
                self._copy.alter(project)
            return project, found, f"{project.folder}"

        project = self._stages.once("render", work)
        self._evidence = replace(self._evidence, project=project)
        return project

    def build(self) -> FirmwareImage:
        """The firmware image: built, or the one that the options name."""
        self.answers.require(self.engine, device=False)
        project = self.render()

        def work(reporter: Reporter) -> tuple[FirmwareImage, bool, str]:
            with lock.exclusive(self.layout.target, reporter.text):
                if self.options.firmware is not None:
                    image, found = prebuilt(self.options.firmware, project, self.target), True
                else:
                    image, found = build(project, self.target, self.layout.firmware, reporter)
            return image, found, notes.of_image(image)

        image = self._stages.once("build", work)
        self._evidence = replace(self._evidence, image=image)
        return image

    def firmware(self) -> Firmware:
        """What the device runs: rendered and built, or as a recording says."""
        firmware = self.answers.firmware(self)
        self._evidence = replace(self._evidence, project=firmware.project, image=firmware.image)
        return firmware

    def identity(self) -> Identity:
        """What the device has to say of itself."""
        return self._copy.identity(self.quantize(), self.firmware().image)

    def flash(self) -> Welcome:
        """Puts the image on the device, and sees that the device answers with it.

        Returns:
            What the device says of itself.
        """
        return self._greet("flash", flash=True)

    def greet(self) -> Welcome:
        """Starts the device as for a session, and sees that it answers with the image.

        Returns:
            What the device says of itself.
        """
        return self._greet("greet", flash=False)

    def _greet(self, stage: str, *, flash: bool) -> Welcome:
        self.live.require(self.engine)
        device, firmware, identity = self.live, self.firmware(), self.identity()

        def work(reporter: Reporter) -> tuple[Welcome, bool, str]:
            welcome, note = device.greet(firmware, identity, reporter, flash=flash)
            return welcome, False, note

        return self._stages.once(stage, work)

    def stop(self) -> None:
        """Ends what ``flash`` has left running here.

        Raises:
            ConfigError: the target is not flashed onto this computer.
        """
        if self.target.upload is None or not self.target.upload.port:
            raise ConfigError(
                f"{self.target.name} leaves nothing running on this computer",
                hint="nothing has to be stopped: leave it out",
            )
        folder = (self.layout.project / self.target.upload.port).parent

        def work(reporter: Reporter) -> tuple[None, bool, str]:
            platformio.stop(folder, reporter)
            return None, False, "nothing is left running"

        self._stages.once("stop", work)

    def capture(self) -> Capture:
        """The device's answers to all vectors."""
        self.answers.require(self.engine)
        model, firmware, identity = self.preflight(), self.firmware(), self.identity()

        def work(reporter: Reporter) -> tuple[Capture, bool, str]:
            search = self._search(model, reporter)
            preprocessing = run_preprocessing.asked(self.options, model, self.fidelity.max_lsb, reporter)
            searched = 0 if search is None else search.count
            self._announce(model, searched, preprocessing)
            options = self._options_in_full()
            header = recording_header.header(self.name, self.source.file, options, model, firmware, searched)
            question = Question(model, firmware, identity, search, header, preprocessing)
            answers, note = self.answers.capture(question, reporter)
            judged = None if preprocessing is None else preprocessing.found
            found = None if search is None else search.found
            self._evidence = replace(self._evidence, search=found, preprocessing=judged)
            return answers, False, note

        answers = self._stages.once(self.answers.stage, work)
        self._evidence = replace(self._evidence, capture=answers)
        return answers

    @contextlib.contextmanager
    def running_device(self) -> Iterator[RunningDevice]:
        """A device that runs the image until the context ends, for sessions of one's own."""
        self.live.require(self.engine)
        with self.live.running_device(self.firmware(), self.identity()) as device:
            yield device

    def judge(self) -> Report:
        """The report; nothing is written. Raises as ``verify``."""
        answers, model, truth = self.capture(), self.quantize(), self.source.truth()
        recipe, search = self.source.recipe, self._evidence.search

        def work(_: Reporter) -> tuple[Report, bool, str]:
            bounds = (self.fidelity, recipe.accuracy)
            verification = verify(model, answers, self.target.measure, bounds, truth, recipe.classes, search)
            report = assemble.judged(self.name, self.target, self.engine, self.evidence, verification)
            return report, False, report.verdict

        return self._stages.once("verify", work)

    def verify(self) -> Report:
        """The report, written to the folder of what was found (``Layout.results``).

        Raises:
            BlockedError: the run could not be carried out; its report says so.
            InputError: something that the user gave cannot be used.
        """
        store.refuse_unwritable_folder(self.layout.results, files.NAMES)
        watch = files.Watch()
        try:
            report = self.judge()
        except BlockedError as error:
            blocked = assemble.blocked(self.name, self.target, self.engine, self.evidence, error)
            self.concluded = blocked, watch.took
            with contextlib.suppress(BlockedError):  # the cause that counts is the first one
                files.write(blocked, self.layout.results, watch.took)
            raise
        report = stored_bisection.with_bisection(report, self.layout)
        self.concluded = report, watch.took
        files.write(report, self.layout.results, watch.took)
        self.conclude()
        return report

    def conclude(self) -> None:
        """Notes in the journal that its answers have been judged: they are not for another run to go on with."""
        journal.conclude(self.layout.journal)

    def _demo(self, model: QuantizedModel) -> Demo | None:
        """The recipe's demo, unless the scheme makes a model that it cannot take."""
        demo = self.source.recipe.demo if self.placement.form == PROJECT else None
        if demo is None or self.source.scheme == self.source.recipe.quantize.scheme or _small_integers(model):
            return demo
        self.observer.warning(f"without the demo, which takes int8: the scheme {self.source.scheme} makes none")
        return None

    def _announce(self, model: QuantizedModel, searched: int, asked: run_preprocessing.RunPreprocessing | None) -> None:
        """Says what is about to be asked, unless a recording answers, which takes no time."""
        if isinstance(self.answers, LiveDevice):
            one, vectors = inference(model.path.read_bytes(), model.recipe), model.vectors
            allowance = self.placement.allowance
            seconds = allowance.seconds(one, vectors.count + allowance.measured + searched)
            raw, further = (0, 0.0) if asked is None else asked.takes(allowance, one)
            self.observer.announcement(notes.of_plan(vectors, searched, seconds + further, raw))

    def _search(self, model: QuantizedModel, reporter: Reporter) -> RunSearch | None:
        """The search that follows the vectors; None where none is asked for, or there is nothing to search."""
        asked = self.options.search
        wanted = 0 if why_not(model) else self.fidelity.search if asked is None else asked
        one, vectors = inference(model.path.read_bytes(), model.recipe), model.vectors
        allowed = self.placement.allowance.searched(one, vectors.count)
        # Whoever names a number means it.
        count = min(wanted, allowed) if asked is None else wanted
        scope = Scope(vectors.count, vectors.available or vectors.count, count, wanted)
        self._evidence = replace(self._evidence, scope=scope)
        if not count:
            return None
        tolerance_lsb, reductions = self.fidelity.max_lsb, max(count, allowed)
        return RunSearch(model, Wanted(count, tolerance_lsb=tolerance_lsb, reductions=reductions), reporter)

    def _options_in_full(self) -> Options:
        """The options with the engine, the scheme and the line said.

        How many vectors and inputs of a search are asked follows from the others again.
        """
        return replace(self.options, engine=self.engine, scheme=self.source.scheme, line=self.answers.line)


def _small_integers(model: QuantizedModel) -> bool:
    return all(spec.dtype is DType.INT8 for spec in (*model.inputs, *model.outputs))

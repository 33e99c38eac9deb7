"""The way from a recipe to a report, stage by stage, each run only if its inputs have changed.

::

    build/<recipe>/model/train/        FloatModel
    build/<recipe>/model/<scheme>/     QuantizedModel; int8, int8-per-channel
    build/<recipe>/<target>/project/   Project
    build/<recipe>/<target>/firmware/  FirmwareImage
    build/<recipe>/<target>/           journal, report.json, report.xml, report.md, report.html

``<target>`` stands for the target's default engine and the recipe's scheme; another engine or scheme is appended:
``<target>-<engine>-<scheme>``.

A :class:`Run` makes each thing once and remembers it, so that a report can be written even of a run that was blocked
half-way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from tinyhil import preflight, tflite
from tinyhil.affine import DType
from tinyhil.artifacts import lock
from tinyhil.artifacts.types import Capture, FirmwareImage, FloatModel, Problem, Project, QuantizedModel
from tinyhil.build import build, prebuilt
from tinyhil.compare.search import Wanted
from tinyhil.compare.verdict import Report
from tinyhil.config import recipe as recipes
from tinyhil.config.recipe import Recipe
from tinyhil.deadline import Deadline
from tinyhil.device.base import Device
from tinyhil.device.board import Flash
from tinyhil.device.factory import open_device, require
from tinyhil.errors import BlockedError, ConfigError
from tinyhil.link.messages import Welcome
from tinyhil.pipeline import bisected, notes, recorded
from tinyhil.pipeline.bench import Desk
from tinyhil.pipeline.request import Observer, Request
from tinyhil.pipeline.running import Running
from tinyhil.pipeline.searching import Searching, why_not
from tinyhil.progress import Reporter, Silent
from tinyhil.quantize import export_for, quantize
from tinyhil.render import render
from tinyhil.report import assemble, files
from tinyhil.report.assemble import Evidence
from tinyhil.session import Identity, capture, greet, journal
from tinyhil.session.journal import Journal, Origin
from tinyhil.session.lines import Lines, PortLines
from tinyhil.session.recording import Header, Recorder
from tinyhil.session.records import RecordFile
from tinyhil.targets import registry
from tinyhil.toolchain import platformio
from tinyhil.train import train
from tinyhil.transport import owner
from tinyhil.transport.finder import PortFinder
from tinyhil.verify import verify

_A = TypeVar("_A")


class Run:
    """One run. Each method makes what it names, and before it all that it needs.

    Raises:
        ConfigError: on construction, if the recipe or the target is unknown or wrong, or has no such engine or scheme.
    """

    def __init__(self, request: Request, observer: Observer) -> None:
        self.request = request
        self.recipe_path, self.recipe = self._find(request)
        self.target = registry.get(request.target)
        self.engine, _ = registry.engine(self.target, request.engine)
        self.scheme = recipes.scheme(request.scheme or self.recipe.quantize.scheme)
        self.folder = request.build_dir / self.recipe.name / self._variant()
        self.evidence = Evidence()
        self.port = ""
        """Where the device was last found."""
        self._models = request.build_dir / self.recipe.name / "model"
        self._journal = self.folder / journal.NAME
        self._project = self.folder / "project"
        self._observer = observer
        self._made: dict[str, Any] = {}
        self._arena_bytes: int | None = None

    def _find(self, request: Request) -> tuple[Path, Recipe]:
        """The recipe and its file."""
        path = recipes.find(request.recipe)
        return path, recipes.load(path)

    def train(self) -> FloatModel:
        """The trained model."""

        def work(reporter: Reporter) -> tuple[FloatModel, bool, str]:
            with lock.exclusive(self._models, reporter.text):
                model, found = train(self.recipe_path, self._models / "train", reporter, self.request.data)
            reporter.text(f"data: {model.provenance}")
            return model, found, notes.of_training(model)

        model = self._stage("train", work)
        self.evidence = replace(self.evidence, trained=model)
        return model

    def quantize(self) -> QuantizedModel:
        """The quantized model with its reference outputs."""
        trained = self.train()
        scheme = export_for(self.scheme, self.target.engines[self.engine])
        settings = msgspec.structs.replace(self.recipe.quantize, scheme=scheme)

        def work(reporter: Reporter) -> tuple[QuantizedModel, bool, str]:
            with lock.exclusive(self._models, reporter.text):
                model, found = quantize(trained, settings, self._models / scheme, reporter)
            size = model.path.stat().st_size
            return model, found, f"{model.scheme}, {size:,} B, {model.vectors.count} vectors"

        model = self._stage("quantize", work)
        self.evidence = replace(self.evidence, model=model)
        return model

    def problems(self) -> tuple[Problem, ...]:
        """What keeps the engine from computing the quantized model right."""
        model = self.quantize()

        def work(reporter: Reporter) -> tuple[tuple[Problem, ...], bool, str]:
            parsed = tflite.parse(model.path.read_bytes(), str(model.path))
            found = preflight.check(parsed, self.target, self.engine)
            outcome = f"{len(found)} problem{'s' if len(found) > 1 else ''}" if found else "ok"
            return found, False, f"{outcome}, {preflight.summary(parsed, self.target, self.engine)}"

        return self._stage("preflight", work)

    def preflight(self) -> QuantizedModel:
        """The quantized model, if the engine computes it right or the request forces it.

        Raises:
            ModelError: it does not; the message lists all problems.
        """
        model, problems = self.quantize(), self.problems()
        if problems and not self.request.force:
            raise preflight.refusal(problems, str(model.path), self.engine, self.target.name)
        if problems != self.evidence.forced:
            self.evidence = replace(self.evidence, forced=problems)
            for problem in problems:
                self._observer.warning(f"forced in spite of: {problem.cause}")
        return model

    def render(self) -> Project:
        """The PlatformIO project."""
        model = self._built_from(self.preflight())
        demo = self.recipe.demo
        if demo is not None and self.scheme != self.recipe.quantize.scheme and not _small_integers(model):
            demo = None
            if self.evidence.project is None:
                self._observer.warning(f"without the demo, which takes int8: the scheme {self.scheme} makes none")

        def work(reporter: Reporter) -> tuple[Project, bool, str]:
            with lock.exclusive(self.folder, reporter.text):
                project, found = render(model, self.target, self.engine, self._project, demo, self._arena_bytes)
            return project, found, f"{project.folder}"

        project = self._stage("render", work)
        self.evidence = replace(self.evidence, project=project)
        return project

    def build(self) -> FirmwareImage:
        """The firmware image: built, or the one that the request names."""
        project = self.render()

        def work(reporter: Reporter) -> tuple[FirmwareImage, bool, str]:
            with lock.exclusive(self.folder, reporter.text):
                if self.request.firmware is not None:
                    image, found = prebuilt(self.request.firmware, project, self.target), True
                else:
                    image, found = build(project, self.target, self.folder / "firmware", reporter)
            return image, found, notes.of_image(image)

        image = self._stage("build", work)
        self.evidence = replace(self.evidence, image=image)
        return image

    def flash(self) -> Welcome:
        """Puts the image on the device, and sees that the device answers with it.

        Returns:
            What the device says of itself.
        """
        return self._greet("flash", Flash.ALWAYS)

    def greet(self) -> Welcome:
        """Starts the device as for a session, and sees that it answers with the image.

        Returns:
            What the device says of itself.
        """
        return self._greet("greet", self._when())

    def _greet(self, stage: str, when: Flash) -> Welcome:
        image = self._image_for_the_device()
        identity = self._identity(image)

        def work(reporter: Reporter) -> tuple[Welcome, bool, str]:
            with self._device(when, reporter) as device:
                port = device.start(image.elf, Deadline.after(self.target.link.answer_within))
                welcome = greet(port, identity, self.target, device.check, reporter)
            self.port = port
            return welcome, False, f"answers on {port}, engine {welcome.engine}, boot id {welcome.boot_id:08x}"

        return self._stage(stage, work)

    def stop(self) -> None:
        """Ends what ``flash`` has left running on this computer.

        Raises:
            ConfigError: the target is not flashed onto this computer.
        """
        if self.target.upload is None or not self.target.upload.port:
            raise ConfigError(f"{self.target.name} leaves nothing running on this computer")
        project = self.render()

        def work(reporter: Reporter) -> tuple[None, bool, str]:
            with lock.exclusive(self.folder, reporter.text):
                platformio.stop(project.folder, self.target.name, self.target.compiles, reporter)
            return None, False, "nothing is left running"

        self._stage("stop", work)

    def capture(self) -> Capture:
        """The device's answers to all vectors."""
        image = self._image_for_the_device()
        identity = self._identity(image)
        model = self.evidence.model
        assert model is not None

        def work(reporter: Reporter) -> tuple[Capture, bool, str]:
            with contextlib.ExitStack() as stack:
                device = stack.enter_context(self._device(self._when(), reporter))
                port = device.start(image.elf, Deadline.after(self.target.link.answer_within))
                finder = PortFinder(port)
                stack.enter_context(owner.owned(finder.locate()))
                stack.enter_context(lock.exclusive(self.folder, reporter.text))
                origin = recorded.origin(model, image)
                kept = stack.enter_context(Journal(self._journal, origin, resume=self.request.resume))
                lines: Lines = PortLines(port, self.target.link.baud, finder)
                if self.request.record is not None:
                    file = stack.enter_context(RecordFile(self.request.record))
                    lines = Recorder(lines, file, self._header(image, origin), list(kept.answers.values()))
                if kept.afresh:
                    reporter.text(f"nothing to resume: {kept.afresh}")
                searching = self._searching(model, reporter)
                answers = capture(
                    port,
                    identity,
                    model.vectors,
                    self.target,
                    device.check,
                    reporter,
                    lines=lines,
                    ledger=kept,
                    explore=searching,
                )
            self._found(searching)
            return answers, False, notes.of_session(model.vectors.count, kept, searching)

        answers = self._stage("session", work)
        self.evidence = replace(self.evidence, capture=answers)
        return answers

    def _searching(self, model: QuantizedModel, reporter: Reporter) -> Searching | None:
        """The search that follows the vectors; None where none is asked, or there is nothing to search."""
        count = self._search_count()
        if not count or why_not(model):
            return None
        return Searching(model, Wanted(count, tolerance_lsb=self.recipe.fidelity.max_lsb), reporter)

    def _search_count(self) -> int:
        return self.recipe.fidelity.search if self.request.search is None else self.request.search

    def _found(self, searching: Searching | None) -> None:
        self.evidence = replace(self.evidence, search=None if searching is None else searching.found)

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        """A device that runs the image until the context ends, for sessions of one's own."""
        image = self._image_for_the_device()
        identity = self._identity(image)
        with self._device(self._when(), Silent()) as device:
            yield Running(device, image, identity, self.target)

    def verify(self) -> Report:
        """The report, written to the target's folder.

        A run that is blocked leaves a report that says so, and raises.

        Raises:
            BlockedError: the run could not be carried out.
            InputError: something that the user gave cannot be used.
        """
        try:
            report = self._judge()
        except BlockedError as error:
            blocked = assemble.blocked(self.recipe.name, self.target, self.engine, self.evidence, error)
            with contextlib.suppress(BlockedError):  # the cause that counts is the first one
                files.write(blocked, self.folder)
            raise
        report = bisected.with_bisection(report, self.folder)
        files.write(report, self.folder)
        self.conclude()
        return report

    def conclude(self) -> None:
        """Notes in the journal that its answers have been judged: they are not for another run to go on with."""
        journal.conclude(self._journal)

    def _built_from(self, model: QuantizedModel) -> QuantizedModel:
        """The model, with the content of the file that the request has the device built from."""
        path = self.request.built_from
        if path is None:
            return model
        facts = tflite.read(path.read_bytes(), str(path))
        # A wrong scale or zero point is a fault like another.
        kinds = [[(spec.dtype, spec.shape) for spec in (*each.inputs, *each.outputs)] for each in (facts, model)]
        if kinds[0] != kinds[1]:
            raise ConfigError(f"{path} has inputs or outputs of another type or shape than {model.path}")
        return replace(model, path=path, ops=facts.ops)

    def _image_for_the_device(self) -> FirmwareImage:
        """The image; not built in vain where the device cannot be had."""
        self.render()
        require(self.target, self.request.port)
        return self.build()

    def _judge(self) -> Report:
        answers = self.capture()
        model = self.evidence.model
        assert model is not None
        truth = self._truth()

        def work(reporter: Reporter) -> tuple[Report, bool, str]:
            asked, found = (self.recipe.fidelity, self.recipe.accuracy), self.evidence.search
            verification = verify(model, answers, self.target.measure, asked, truth, self.recipe.classes, found)
            report = assemble.judged(self.recipe.name, self.target, self.engine, self.evidence, verification)
            return report, False, report.verdict

        return self._stage("verify", work)

    def _truth(self) -> Any:
        """The function of the noise-free targets, None where there is none."""
        return recipes.truth(recipes.load_code(recipes.code_path(self.recipe_path, self.recipe)))

    def _when(self) -> Flash:
        return Flash.IF_STALE if self.request.flash else Flash.NEVER

    def _device(self, when: Flash, reporter: Reporter) -> Device:
        project = self.evidence.project
        assert project is not None
        desk = Desk(self.target, project.folder, self.folder, reporter)
        return open_device(
            self.target, self.request.port, bench=desk, project=project.sha256, folder=project.folder, flash=when
        )

    def _variant(self) -> str:
        """The folder's name: by what differs from a plain run on the target."""
        engine = "" if self.engine == self.target.default_engine else f"-{self.engine}"
        scheme = "" if self.scheme == self.recipe.quantize.scheme else f"-{self.scheme}"
        return f"{self.target.name}{engine}{scheme}"

    def _identity(self, image: FirmwareImage) -> Identity:
        model = self.evidence.model
        assert model is not None
        return Identity(model.sha256, image.project_sha256, model.inputs, model.outputs)

    def _header(self, image: FirmwareImage, origin: Origin) -> Header:
        project = self.evidence.project
        assert project is not None
        said = replace(self.request, engine=self.engine, scheme=self.scheme, search=self._search_count())
        return recorded.header(self.recipe.name, said, self._given(), project, image, origin)

    def _given(self) -> str:
        """The user's own file that is run instead of a recipe; empty for a recipe."""
        return ""

    def _stage(self, name: str, work: Callable[[Reporter], tuple[_A, bool, str]]) -> _A:
        """Runs a stage once in the life of this run."""
        if name not in self._made:
            with self._observer.stage(name) as reporter:
                made, found, note = work(reporter)
                self._observer.result(note, found=found)
            self._made[name] = made
        return cast(_A, self._made[name])


def _small_integers(model: QuantizedModel) -> bool:
    return all(spec.dtype is DType.INT8 for spec in (*model.inputs, *model.outputs))

"""Everything that tinyhil reads and has not just written, each with good files, a mutator, and what reads it."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import msgspec

from tinyhil import api, preflight, tflite
from tinyhil.artifacts import store
from tinyhil.compare import changes, metrics
from tinyhil.compare.digest import digest
from tinyhil.config import recipe as recipes
from tinyhil.config import toml
from tinyhil.data import files, samples_file
from tinyhil.errors import BlockedError, InputError
from tinyhil.experiments.bisect import bundle
from tinyhil.history import database, export, gate, importing, lines, page, record, series
from tinyhil.history.context import Context
from tinyhil.history.place import Place
from tinyhil.history.record import Record
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.quantize import divided, keras_config, model_file, quantized_folder, samples
from tinyhil.report import changes as shown
from tinyhil.report import files as report_files
from tinyhil.report import terminal
from tinyhil.session import journal, records
from tinyhil.targets import registry
from tinyhil.targets.model import Target

from . import mutate, seeds, tflite_mutations


@dataclass(frozen=True)
class Reader:
    """One kind of file.

    Attributes:
        name: of the kind, and of the file.
        good: good files, given the folder of the seeds.
        mutate: makes a hostile one.
        read: reads it, given the file and the folder of the seeds.
    """

    name: str
    good: Callable[[Path], list[bytes]]
    mutate: mutate.Mutator
    read: Callable[[Path, Path], object]


def _each(*calls: Callable[[], object]) -> None:
    """Makes all calls; raises the last refusal if all of them are refused."""
    refusals: list[InputError] = []
    for call in calls:
        try:
            call()
        except InputError as error:
            refusals.append(error)
    if len(refusals) == len(calls):
        raise refusals[-1]


def _tflite(path: Path, _: Path) -> None:
    content = model_file.read(path)
    content = tflite.rewrite(content, path.name)[0]
    tflite.read(content, path.name)
    for target, engine in (("sim", "tflm-host"), ("qemu-m4", "compiled"), ("qemu-m4", "tflm")):
        preflight.check(content, path.name, registry.get(target), engine)
        preflight.summary(tflite.parse(content, path.name), registry.get(target), engine)
    quantized_folder.inference(content, path.name)


def _samples(path: Path, _: Path) -> None:
    samples_file.read(path)
    samples_file.digest(path)
    samples_file.class_names(path)
    specs = tflite.read(seeds.models()[1], "m").inputs
    _each(
        lambda: samples.read(path, specs),
        lambda: files.load(path, 1),
        lambda: divided.sets(path, [keras_config.KerasInput("x", (3,))]),
    )


def _keras(path: Path, _: Path) -> None:
    keras_config.inputs(path)
    keras_config.hdf5(path, path.name, config=False)


def _toml(path: Path, _: Path) -> None:
    (path.parent / "sine.py").write_text("")
    _each(lambda: toml.load(path, recipes.Recipe), lambda: toml.load(path, Target), lambda: recipes.load(path))


def _recording(path: Path, folder: Path) -> None:
    with api.open_replay(path, folder / seeds.BUILD, SilentObserver()) as run:
        run.judge()


def _journal(path: Path, folder: Path) -> None:
    place = next((folder / seeds.BUILD).glob("*/sim/journal"))
    with place.open("rb") as stream:
        first = next(records.unpack(stream))
    origin = msgspec.json.decode(first.body, type=journal.Origin)
    with journal.Journal(path, origin, resume=True) as found:
        assert found.resumed >= 0
    journal.conclude(path)


def _report(path: Path, _: Path) -> None:
    read = report_files.from_json(path.read_text(encoding="utf-8", errors="replace"), path.name)
    digest(read)
    list(terminal.rows(read))
    terminal.verdict(read)
    report_files.write(read, path.parent / "written")


def _record(path: Path, _: Path) -> None:
    one = record.read(path)
    place = Place(path.parent / "history.db", "", path.parent / "none")
    with database.opened(place) as history:
        taken = history.add([(one, path.name)])
        for why_not in taken.refused.values():
            raise InputError(why_not)
        with history.reading() as connection:
            chosen = metrics.chosen(())
            found = series.series(connection, series.Asked(), chosen)
        page.to_html(found, chosen, "")
        export.export(found, chosen, "csv")
        list(chain.from_iterable(lines.table(each, chosen) for each in found))
    place.database.unlink()  # type: ignore[union-attr]


def _artifact_of_ci(path: Path, folder: Path) -> None:
    for one, _ in importing.find([path]).records:
        report = one.decoded(path.name)
        changed = changes.changes(report, report)
        shown.to_markdown([changed])
        shown.to_html([changed])


def _as_record(folder: Path) -> list[bytes]:
    context = Context(began=datetime(2026, 1, 1, tzinfo=UTC), seconds=1.0, host="box", commit="1f" * 20, dirty=False)
    reports = _kept(f"{seeds.BUILD}/*/sim/report.json")(folder)
    return [gzip.compress(msgspec.json.encode(Record(context=context, report=one.decode()))) for one in reports]


def _as_artifact(folder: Path) -> list[bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in (folder / seeds.BUILD).glob("*/sim/report.*"):
            archive.write(path, f"build/{path.name}")
    return [made.getvalue()]


def _packed(inner: mutate.Mutator) -> mutate.Mutator:
    """Of a gzip file: its bytes, or what is in it."""
    return lambda rng, data: (
        mutate.by_bytes(rng, data) if rng.random() < 0.3 else gzip.compress(inner(rng, gzip.decompress(data)), 1)
    )


def _manifest(path: Path, folder: Path) -> None:
    original = _artifact(folder)
    for each in original.iterdir():
        if each.is_file() and each.name != store.MANIFEST:
            shutil.copyfile(each, path.parent / each.name)
    shutil.copyfile(path, path.parent / store.MANIFEST)
    written = json.loads((original / store.MANIFEST).read_text())
    found = store.load(path.parent, model_file.STAGE, written["key"])
    if found is not None and (found.files, found.facts) == (written["files"], written["facts"]):
        quantized_folder.read("m", model_file.SCHEME, path.parent, found, None)


def _artifact(folder: Path) -> Path:
    return next((folder / seeds.BUILD).glob(f"*/model/file/{store.MANIFEST}"), folder).parent


def _bundle(path: Path, folder: Path) -> None:
    place = path.parent / "repro"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / seeds.BUNDLE, place)
    shutil.copyfile(path, place / bundle.MANIFEST)
    bundle.read(place)


def _kept(pattern: str) -> Callable[[Path], list[bytes]]:
    return lambda folder: [path.read_bytes() for path in sorted(folder.glob(pattern))[:1]]


def _either(one: mutate.Mutator, other: mutate.Mutator, starts: bytes) -> mutate.Mutator:
    def made(rng: random.Random, data: bytes) -> bytes:
        return one(rng, data) if data.startswith(starts) else other(rng, data)

    return made


_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
READERS = {
    reader.name: reader
    for reader in (
        Reader("m.tflite", lambda _: seeds.models(), tflite_mutations.model, _tflite),
        Reader("s.npz", lambda _: [seeds.npz(each) for each in _METHODS], mutate.zipped(mutate.array), _samples),
        Reader("s.npy", lambda _: [seeds.npy()], mutate.array, _samples),
        Reader("s.csv", lambda _: [b"a,b,c,label\n1,2,3,up\n4,5,6,down\n7,8,9,up\n"], mutate.text, _samples),
        Reader(
            "m.keras", lambda _: [seeds.keras()], mutate.zipped(_either(mutate.tree, mutate.by_bytes, b"{")), _keras
        ),
        Reader("m.h5", lambda _: [seeds.weights(with_config=True)], mutate.by_bytes, _keras),
        Reader("sine.toml", lambda _: seeds.tomls(), mutate.text, _toml),
        Reader("run.rec", _kept(seeds.RECORDING), mutate.records(mutate.tree), _recording),
        Reader("journal", _kept(f"{seeds.BUILD}/*/sim/journal"), mutate.records(mutate.tree), _journal),
        Reader("report.json", _kept(f"{seeds.BUILD}/*/sim/report.json"), mutate.tree, _report),
        Reader("manifest", _kept(f"{seeds.BUILD}/*/**/file/{store.MANIFEST}"), mutate.tree, _manifest),
        Reader(f"one{record.SUFFIX}", _as_record, _packed(mutate.tree), _record),
        Reader("artifact.zip", _as_artifact, mutate.zipped(mutate.tree), _artifact_of_ci),
        Reader(
            "tinyhil.accepted",
            lambda _: [b"1f77ce2 sine qemu-m4 flash +312 B # a table\n# a note\n1f77ce2 * * top1 -1 points # data\n"],
            mutate.text,
            lambda path, _: gate.accepted(path),
        ),
        Reader(
            "tinyhil.toml",
            lambda _: [b'[gate]\nflash = "+64 B"\ninstructions = "+1 %"\naccuracy.top1 = "-1 points"\nmae = "off"\n'],
            mutate.text,
            lambda path, _: gate.rules(path),
        ),
        Reader("bundle", _kept(f"{seeds.BUNDLE}/{bundle.MANIFEST}"), mutate.tree, _bundle),
    )
}
BLOCKS = {"run.rec": BlockedError}
"""What a reader may raise besides an error of the input: a recording that ends too early blocks its replay."""

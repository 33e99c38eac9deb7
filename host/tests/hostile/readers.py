"""Everything that tinyhil reads and has not just written, each with good files, a mutator, and what reads it."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tinyhil import api, preflight, tflite
from tinyhil.artifacts import store
from tinyhil.compare.digest import digest
from tinyhil.config import recipe as recipes
from tinyhil.config import toml
from tinyhil.data import files, samples_file
from tinyhil.errors import BlockedError, InputError
from tinyhil.experiments.bisect import bundle
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.quantize import divided, keras_config, model_file, quantized_folder, samples
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
        Reader("bundle", _kept(f"{seeds.BUNDLE}/{bundle.MANIFEST}"), mutate.tree, _bundle),
    )
}
BLOCKS = {"run.rec": BlockedError}
"""What a reader may raise besides an error of the input: a recording that ends too early blocks its replay."""

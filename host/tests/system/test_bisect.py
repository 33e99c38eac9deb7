"""A fault in one layer is found at exactly that layer, and the bundle shows it again wherever it is copied to."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil import tflite
from tinyhil.artifacts import hashing
from tinyhil.compare.digest import digest
from tinyhil.quantize.interpreters import TFLM, open_interpreter
from tinyhil.report import files, terminal

from .. import layered, semihosting
from ..report import agreement
from .cli import Cli, Done

MODELS = {
    "dense": layered.dense_model,
    "spatial": layered.spatial_model,
    "conv": layered.conv_model,
    "branched": layered.branched_model,
}
FAULTS = [
    ("dense", 2),
    *(pytest.param("dense", layer, marks=pytest.mark.long) for layer in (4, 3, 1)),
    *(pytest.param("spatial", layer, marks=pytest.mark.long) for layer in (4, 3, 2, 1)),
    # Before and behind a RESHAPE, which computes nothing.
    *(pytest.param("conv", layer, marks=pytest.mark.long) for layer in (5, 3)),
    pytest.param("branched", 3, marks=pytest.mark.long),  # beside layer 2, which comes before it and is exact
]


@pytest.fixture(scope="session")
def workshop(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A folder in which every model goes by the same name, so that PlatformIO compiles anew only what differs."""
    assert made  # skipped where there is no qemu-m4
    return Cli(tmp_path_factory.mktemp("bisect"))


def bisect(cli: Cli, model: bytes, layer: int, *options: str) -> tuple[Done, dict[str, Any]]:
    """Plants a fault in a layer of a model and looks for it; what ends, and its JSON."""
    shape = tflite.read(model, "model").inputs[0].shape
    np.savez(cli.cwd / "samples.npz", x=np.random.default_rng(1).uniform(-6, 6, (24, *shape[1:])))
    (cli.cwd / "model.tflite").write_bytes(model)
    (cli.cwd / "planted.tflite").write_bytes(layered.with_fault(model, layer - 1))
    planted = ("--built-from", "planted.tflite", "--json", "out.json")
    done = cli("bisect", "model.tflite", "--samples", "samples.npz", *planted, *options)
    assert done.code in (0, 1), done.out + done.err
    assert cli.leftovers() == []
    return done, json.loads((cli.cwd / "out.json").read_text())


@pytest.fixture(scope="session")
def bisected(workshop: Cli) -> Callable[[str, int], dict[str, Any]]:
    """What was found of a fault in a layer, with all that was printed, and a copy of the bundle."""
    known: dict[tuple[str, int], dict[str, Any]] = {}

    def find(name: str, layer: int) -> dict[str, Any]:
        if (name, layer) not in known:
            done, found = bisect(workshop, MODELS[name](), layer)
            assert done.code == 1, done.out + done.err
            bundle = workshop.cwd / f"{name}-{layer}"
            shutil.copytree(workshop.cwd / found["bundle"], bundle)
            known[name, layer] = {**found, "bundle": bundle, "out": done.out}
        return known[name, layer]

    return find


@pytest.mark.parametrize(("name", "layer"), FAULTS)
def test_a_fault_is_found_at_exactly_its_layer(
    bisected: Callable[[str, int], dict[str, Any]], name: str, layer: int
) -> None:
    found = bisected(name, layer)
    graph = tflite.parse(MODELS[name](), name).main
    assert (found["verdict"], found["layer"], found["reproduced"]) == ("found", layer, True)
    assert found["whole"]["mismatches"] > 0
    outcomes = {each["layer"]: each["difference"]["mismatches"] for each in found["tested"]}
    assert outcomes[layer] > 0
    reads = {source + 1 for source in tflite.sources(graph)[layer - 1]}
    assert {outcomes[each] for each in reads} <= {0}
    assert found["blame"]["suspects"] == [layer - 1]
    operator = graph.operators[layer - 1]
    named = graph.tensors[operator.outputs[0]].name
    assert f"layer {layer} of {len(graph.operators)}, {operator.name} {named!r}: {outcomes[layer]} of" in found["out"]
    assert re.search(rf"^{layer} +{operator.name} +{named} .*  differs by up to \d+ LSB$", found["out"], re.MULTILINE)


@pytest.mark.long
def test_the_report_of_the_same_firmware_has_the_layers(tinyhil: Cli) -> None:
    """Whichever comes first; a report of another firmware does not."""
    model = layered.dense_model()
    (tinyhil.cwd / "m.tflite").write_bytes(model)
    asked = ("m.tflite", "--target", "sim")
    assert tinyhil("run", *asked).code == 0
    (folder,) = tinyhil.cwd.glob("build/m-*/sim")
    assert files.read(folder).bisection is None
    assert tinyhil("bisect", *asked, "--every").code == 0
    report = files.read(folder)
    assert report.bisection is not None
    assert [each.layer for each in report.bisection.tested] == [1, 2, 3, 4]
    assert dict(terminal.rows(report))["bisect"] == "nothing differs"
    agreement.check(folder)
    page = (folder / files.HTML).read_text()
    assert 'data-figure="bisection.tested[3].difference.mismatches"' in page
    assert tinyhil("run", *asked).code == 0
    again = files.read(folder)
    assert (again.bisection, digest(again)) == (report.bisection, digest(report))
    (tinyhil.cwd / "m.tflite").write_bytes(layered.with_fault(model, 2))
    assert tinyhil("run", *asked).code == 0
    (other,) = set(tinyhil.cwd.glob("build/m-*/sim")) - {folder}
    assert files.read(other).bisection is None


def command(bundle: Path) -> list[str]:
    """The one command in the bundle's README, without the name of the program."""
    (line,) = re.findall("^    (tinyhil .*)$", (bundle / "README.md").read_text(), re.MULTILINE)
    return shlex.split(line)[1:]


@pytest.fixture
def alone(bisected: Callable[[str, int], dict[str, Any]], tinyhil: Cli) -> Path:
    """The bundle of a fault, and nothing else, in an empty folder; the vector that shows it is not the first one."""
    assert list(tinyhil.cwd.iterdir()) == []
    found = bisected("conv", 5)
    assert found["tested"][-1]["difference"]["first"]["vector"] > 0
    shutil.copytree(found["bundle"], tinyhil.cwd, dirs_exist_ok=True)
    return tinyhil.cwd


@pytest.mark.long
def test_the_bundle_reruns_in_an_empty_folder(alone: Path, tinyhil: Cli) -> None:
    done = tinyhil(*command(alone), "--json", "out.json")
    assert done.code == 1, done.out + done.err
    assert "reproduced, the same bytes" in done.out
    answer = json.loads((alone / "out.json").read_text())
    assert answer["as_recorded"] is True
    expected, actual = ((alone / name).read_bytes() for name in ("expected.bin", "actual.bin"))
    assert (bytes.fromhex(answer["expected"]), bytes.fromhex(answer["actual"])) == (expected, actual)
    # What is expected is what the reference makes of the prefix and the input as they lie there.
    vector = np.frombuffer((alone / "input.bin").read_bytes(), np.int8).reshape(1, 8, 8, 1)
    (output,) = open_interpreter(TFLM, (alone / "prefix.tflite").read_bytes()).run([vector])
    assert output.tobytes() == expected
    assert actual != expected
    assert len(actual) == len(expected) == 5


@pytest.mark.long
def test_a_bundle_that_was_changed_is_refused(alone: Path, tinyhil: Cli) -> None:
    def refused() -> Done:
        done = tinyhil(*command(alone))
        assert done.code == 2, done.out + done.err
        return done

    image = alone / "device" / "firmware" / "firmware.elf"
    whole = image.read_bytes()
    image.write_bytes(whole[:-1])
    assert "firmware.elf has changed" in refused().err
    image.unlink()
    assert "lacks device/firmware/firmware.elf" in refused().err
    (alone / "repro.json").write_text("{}")
    assert "is not the repro.json of a repro bundle" in refused().err
    (alone / "repro.json").unlink()
    assert "is no repro bundle" in refused().err


@pytest.mark.long
def test_a_bundle_whose_firmware_is_another_one_is_blocked(
    bisected: Callable[[str, int], dict[str, Any]], alone: Path, tinyhil: Cli
) -> None:
    """The hashes of the files are put right, so that the handshake is what notices."""
    other = bisected("branched", 3)["bundle"] / "device" / "firmware" / "firmware.elf"
    shutil.copy(other, alone / "device" / "firmware" / "firmware.elf")
    before, after = (json.loads((folder / "repro.json").read_text()) for folder in (alone, other.parents[2]))
    name = "device/firmware/firmware.elf"
    text = (alone / "repro.json").read_text().replace(before["files"][name], after["files"][name])
    (alone / "repro.json").write_text(text)
    done = tinyhil(*command(alone))
    assert done.code == 3, done.out + done.err
    assert "stale firmware" in done.err


@pytest.mark.long
def test_firmware_of_a_bundle_gets_no_file_of_this_computer(
    alone: Path, tinyhil: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Not even where the target's runs go by semihosting: a bundle's go by the UART, where to ask for a file faults."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "secret").write_text("what nobody is to know")
    source = semihosting.THIEF.replace("MADE", str(folder / "made")).replace("SECRET", str(folder / "secret"))
    thief = semihosting.build(folder / "thief", source)
    name = "device/firmware/firmware.elf"
    shutil.copy(thief, alone / name)
    manifest = json.loads((alone / "repro.json").read_text())
    manifest["files"][name] = hashing.of_file(thief)
    (target,) = (side["target"] for side in manifest["sides"])
    assert target["emulator"]["semihosting"]
    target["link"]["answer_within"] = 3.0
    (alone / "repro.json").write_text(json.dumps(manifest))
    done = tinyhil(*command(alone), "--verbose")
    assert done.code == 3, done.out + done.err
    assert "did not answer" in done.err
    assert "nobody is to know" not in done.out + done.err
    assert not (folder / "made").exists()


@pytest.mark.long
def test_a_masked_difference_is_found_by_every(workshop: Cli) -> None:
    done, found = bisect(workshop, layered.masked_model(), 1)
    assert (done.code, found["verdict"], found["tested"]) == (0, "clean", [])
    count = found["whole"]["vectors"]
    assert f"clean: the whole model is exact over {count} vectors" in done.out
    done, found = bisect(workshop, layered.masked_model(), 1, "--every")
    assert (done.code, found["layer"], found["whole"]["mismatches"]) == (1, 1, 0)
    assert [each["difference"]["mismatches"] > 0 for each in found["tested"]] == [True, False]
    assert "it reads the inputs" in done.out


@pytest.mark.long
def test_two_devices_are_compared_with_each_other(workshop: Cli) -> None:
    """TFLM's own interpreter against compiled C on the emulated chip; the fault is on the second side."""
    done, found = bisect(workshop, layered.dense_model(), 1, "--target-a", "sim", "--target-b", "qemu-m4")
    assert (done.code, found["layer"]) == (1, 1)
    assert [(side["target"], side["engine"]) for side in found["sides"]] == [
        ("sim", "tflm-host"),
        ("qemu-m4", "compiled"),
    ]
    (at_fault,) = (each for each in found["tested"] if each["layer"] == 1)
    a, b = at_fault["against_reference"]
    assert (a["mismatches"], b["mismatches"]) == (0, at_fault["difference"]["mismatches"])
    assert re.search(r"sim \(.*\) is exact against the reference; qemu-m4 \(.*\) differs in", done.out)
    bundle = workshop.cwd / found["bundle"]
    again = Cli(bundle, mark=workshop.mark)(*command(bundle))
    assert again.code == 1, again.out + again.err
    assert "reproduced, the same bytes" in again.out


@pytest.mark.long
def test_a_clean_model_is_clean_layer_by_layer(tinyhil: Cli) -> None:
    """On a target that compiles nothing; the middle of the model has a batch of two, at which it cannot end."""
    network = layered.Network((1, 8), seed=4)
    network.dense(6)
    network.reshape((2, 3))
    network.reshape((1, 6))
    network.dense(3, relu=False)
    (tinyhil.cwd / "m.tflite").write_bytes(network.finish())
    done = tinyhil("bisect", "m.tflite", "--target", "sim", "--every", "--vectors", "7", "--json", "out.json")
    assert done.code == 0, done.out + done.err
    found = json.loads((tinyhil.cwd / "out.json").read_text())
    assert f"clean: the whole model is exact over {found['whole']['vectors']} vectors" in done.out
    assert "and each of 3 layers over 7 vectors; 1 could not be" in done.out
    assert (found["verdict"], found["layer"], found["bundle"]) == ("clean", None, None)
    assert [each["difference"] is None for each in found["tested"]] == [False, True, False, False]
    assert re.fullmatch("output tensor .* has a batch of 2, only 1 is supported", found["tested"][1]["why"])
    kept = json.loads(next(tinyhil.cwd.glob("build/m-*/sim/bisect/bisect.json")).read_text())
    assert kept["tested"] == found["tested"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ((), "neither a model nor a bundle"),
        (("m.tflite", "--rerun", "."), "--rerun takes a bundle"),
        (("m.tflite", "--target-a", "sim", "--target-b", "sim"), "both sides are sim with the engine 'tflm-host'"),
        (("m.tflite", "--target", "sim", "--built-from", "none.tflite"), "cannot read none.tflite"),
        (
            ("m.tflite", "--target", "sim", "--built-from", "other.tflite"),
            "has inputs or outputs of another type or shape than",
        ),
    ],
)
def test_what_cannot_be_bisected_is_refused(tinyhil: Cli, arguments: tuple[str, ...], cause: str) -> None:
    (tinyhil.cwd / "m.tflite").write_bytes(layered.dense_model())
    (tinyhil.cwd / "other.tflite").write_bytes(layered.branched_model())
    done = tinyhil("bisect", *arguments)
    assert done.code == 2, done.out + done.err
    assert cause in done.err
    assert "Traceback" not in done.err

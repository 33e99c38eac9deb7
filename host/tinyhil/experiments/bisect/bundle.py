"""The repro bundle: everything that it takes to see one wrong output again, in one folder that needs nothing else.

::

    README.md       what it shows, and the one command that shows it
    repro.json      the same for the program: identities, the target's facts, versions, SHA-256 of every other file
    prefix.tflite   the smallest model that shows it
    input.bin       one vector, as the link carries it; of a model with state also all before it
    expected.bin    the outputs that are expected, and
    actual.bin      those that came
    device/         firmware/ and project/ of the device; a/ and b/ where two devices were compared
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import tinyhil
from tinyhil import kinds, resources, tflite
from tinyhil.affine import TensorSpec
from tinyhil.artifacts import foreign, hashing, store
from tinyhil.artifacts.types import Array, FirmwareImage, Project, QuantizedModel, Vectors
from tinyhil.compare.layer import LayerDifference, difference
from tinyhil.deadline import Deadline
from tinyhil.device.board import Flash
from tinyhil.device.factory import open_device, require
from tinyhil.errors import ConfigError
from tinyhil.pipeline.answers.board_ports import BoardPorts
from tinyhil.pipeline.observer import Observer
from tinyhil.session import Identity, capture, lines_to, open_session
from tinyhil.session.tensors import outputs_of, records_of
from tinyhil.targets.model import UART, Target
from tinyhil.transport import owner
from tinyhil.transport.finder import PortFinder

FOLDER = "repro"
README, MANIFEST = "README.md", "repro.json"
PREFIX, INPUT, EXPECTED, ACTUAL = "prefix.tflite", "input.bin", "expected.bin", "actual.bin"
SCHEMA = 1
COMMAND = "tinyhil bisect --rerun ."
_LABELS = {1: ("device",), 2: ("a", "b")}
_NOT_KEPT = shutil.ignore_patterns(".pio", ".vscode", ".git", ".lock", "__pycache__", store.MANIFEST)


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device.

    Attributes:
        folder: of its ``firmware`` and ``project``.
        target: its facts.
        engine: name of the engine.
        kernels: kernel set and version.
        firmware: the image, a path in the bundle.
        firmware_sha256: of the image.
        project_sha256: of the project; the firmware reports the same.
        tool_versions: what built it.
    """

    folder: str
    target: Target
    engine: str
    kernels: str
    firmware: str
    firmware_sha256: str
    project_sha256: str
    tool_versions: dict[str, str]


class Repro(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``repro.json``.

    Attributes:
        schema: version of this format.
        made_by: tinyhil and Python with their versions.
        finding: what the bisection has found, in words.
        reference: the interpreter that computed what is expected of one device.
        tolerance_lsb: differences up to this many LSB are none.
        vectors: how many vectors ``input.bin`` has.
        sides: the device, or the two that were compared.
        files: SHA-256 of all other files that the bundle was made of, by path.
    """

    schema: int
    made_by: str
    finding: str
    reference: str
    tolerance_lsb: int
    vectors: int
    sides: tuple[Side, ...]
    files: dict[str, str]


@dataclass(frozen=True)
class Evidence:
    """What a bundle shows.

    Attributes:
        model: the prefix.
        inputs, expected, actual: one array per input or output, (vectors, *shape): one vector, or a row of them.
        tolerance_lsb: differences up to this many LSB are none.
    """

    model: QuantizedModel
    inputs: tuple[Array, ...]
    expected: tuple[Array, ...]
    actual: tuple[Array, ...]
    tolerance_lsb: int


@dataclass(frozen=True)
class Rerun:
    """What a bundle's firmware answers now.

    Attributes:
        repro: the bundle.
        expected: bytes that are expected: those in the bundle, or those of the first of two devices.
        actual: bytes that came.
        difference: between the two.
        as_recorded: whether both are those in the bundle.
    """

    repro: Repro
    expected: bytes
    actual: bytes
    difference: LayerDifference
    as_recorded: bool

    @property
    def told(self) -> str:
        """In a few words."""
        if not self.difference.differs:
            return "not reproduced: all outputs are as expected"
        return f"reproduced, {'the same bytes' if self.as_recorded else 'though not the same bytes'}"


def evidence(
    model: QuantizedModel,
    expected: Sequence[Array],
    actual: Sequence[Array],
    first: int,
    *,
    stateful: bool,
    max_lsb: int,
) -> Evidence:
    """The evidence of one vector.

    Args:
        model: the prefix, with all vectors that it was tested with.
        expected, actual: its outputs for these.
        first: the vector that is to be shown.
        stateful: whether its answer depends on those before it, which are then kept too.
        max_lsb: the tolerance.
    """
    kept = slice(0 if stateful else first, first + 1)
    inputs, wanted, came = (tuple(part[kept] for part in each) for each in (model.vectors.inputs, expected, actual))
    return Evidence(model, inputs, wanted, came, max_lsb)


def write(
    folder: Path, finding: str, shown: Evidence, devices: Sequence[tuple[Target, Project, FirmwareImage]]
) -> Repro:
    """Makes ``folder`` a bundle; what was there goes.

    Args:
        finding: what it shows, in words.
        shown: the evidence.
        devices: the device, or the two that were compared: facts, project and image of each.

    Raises:
        StorageError: it cannot be written.
    """
    with store.scratch(folder.parent) as new:
        made = _written(new, finding, shown, devices)
        with store.storage(folder):
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
    return made


def _written(
    folder: Path, finding: str, shown: Evidence, devices: Sequence[tuple[Target, Project, FirmwareImage]]
) -> Repro:
    """The bundle in an empty folder."""
    sides = []
    for label, (target, project, image) in zip(_LABELS[len(devices)], devices, strict=True):
        with store.storage(folder):
            shutil.copytree(image.elf.parent, folder / label / "firmware", ignore=_NOT_KEPT)
            shutil.copytree(project.folder, folder / label / "project", ignore=_NOT_KEPT)
        sides.append(
            Side(
                folder=label,
                target=target,
                engine=project.engine,
                kernels=project.kernels,
                firmware=f"{label}/firmware/{image.elf.name}",
                firmware_sha256=image.sha256,
                project_sha256=project.sha256,
                tool_versions=image.tool_versions,
            )
        )
    store.write_bytes(folder / PREFIX, shown.model.path.read_bytes())
    for name, arrays in ((INPUT, shown.inputs), (EXPECTED, shown.expected), (ACTUAL, shown.actual)):
        store.write_bytes(folder / name, _bytes_of(arrays))
    made = Repro(
        schema=SCHEMA,
        made_by=f"tinyhil {tinyhil.__version__}, Python {sys.version.split()[0]}",
        finding=finding,
        reference=shown.model.reference,
        tolerance_lsb=shown.tolerance_lsb,
        vectors=len(shown.inputs[0]),
        sides=tuple(sides),
        files={path: hashing.of_bytes(data) for path, data in resources.read_tree(folder).items()},
    )
    store.write_text(folder / README, _readme(made, shown))
    store.write_json(folder / MANIFEST, made)
    return made


def rerun(folder: Path, port: str | None, observer: Observer) -> Rerun:
    """Runs the firmware of a bundle on its vector again.

    Args:
        folder: the bundle.
        port: where the device is, if it is not to be started; for a board, where it is plugged in.
        observer: told of it.

    Raises:
        BlockedError: the device cannot be had.
        ConfigError: it is no bundle, or a file of it is missing or damaged.
    """
    repro = read(folder)
    model = (folder / PREFIX).read_bytes()
    ends = tflite.read(model, str(folder / PREFIX))
    recorded = [(folder / name).read_bytes() for name in (EXPECTED, ACTUAL)]
    wanted, came = (_arrays(data, ends.outputs, repro.vectors, folder) for data in recorded)
    inputs = _arrays((folder / INPUT).read_bytes(), ends.inputs, repro.vectors, folder)
    vectors = Vectors(inputs=inputs, reference=wanted, float_outputs=None, exhaustive=False)
    answers = []
    for side in repro.sides:
        identity = Identity(hashing.of_bytes(model), side.project_sha256, ends.inputs, ends.outputs)
        answers.append(_ask(folder, side, identity, vectors, port, observer))
    expected, actual = wanted if len(answers) == 1 else answers[0], answers[-1]
    pair = (_bytes_of(expected), _bytes_of(actual))
    found = difference(actual, expected, ends.outputs, repro.tolerance_lsb)
    return Rerun(repro, *pair, found, as_recorded=pair == (_bytes_of(wanted), _bytes_of(came)))


def _ask(
    folder: Path, side: Side, identity: Identity, vectors: Vectors, port: str | None, observer: Observer
) -> tuple[Array, ...]:
    target, place = side.target, folder / side.folder
    require(target, port)
    with observer.stage("session") as reporter:
        with open_device(
            target,
            port,
            ports=BoardPorts(target, place / "project", place, reporter),
            project=side.project_sha256,
            folder=place / "project",
            flash=Flash.IF_STALE,
            # A stranger's firmware gets none of this computer's files (docs/security.md).
            line=UART,
        ) as device:
            at = device.start(folder / side.firmware, Deadline.after(target.start_within))
            with (
                owner.owned(PortFinder(at).locate()),
                open_session(
                    lines_to(at, target.link, stays=device.stays),
                    identity,
                    target,
                    device.check,
                    reporter,
                ) as session,
            ):
                answers = capture(session, vectors)
        observer.result(f"{vectors.count} vectors, {target.name} ({side.engine})", found=False)
    return answers.outputs


def read(folder: Path) -> Repro:
    """What a bundle says of itself, every file of it held against its hash.

    Raises:
        ConfigError: it is no bundle, or a file of it is missing or damaged.
    """
    path = folder / MANIFEST
    if not foreign.is_file(path):
        raise _refusal(f"{folder} is no repro bundle: it has no {MANIFEST}")
    with foreign.reading(path, "the repro.json of a repro bundle", _refusal):
        repro = msgspec.json.decode(path.read_bytes(), type=Repro)
    if repro.schema != SCHEMA or len(repro.sides) not in _LABELS:
        raise _refusal(f"{path} is not of this version of tinyhil: schema {repro.schema}, known is {SCHEMA}")
    inside = [name for side in repro.sides for name in (side.folder, side.firmware)]
    for name in (*repro.files, *inside):
        _refuse_outside(folder, name)
    unproved = {PREFIX, INPUT, EXPECTED, ACTUAL, *(side.firmware for side in repro.sides)} - set(repro.files)
    if unproved:
        raise _refusal(f"{path} has no SHA-256 of {', '.join(sorted(unproved))}")
    for name, digest in repro.files.items():
        try:
            found = hashing.of_file(folder / name)
        except (OSError, ValueError) as error:
            raise ConfigError(f"the bundle {folder} lacks {name}: {error}", hint="copy it again") from error
        if found != digest:
            raise ConfigError(
                f"{folder / name} has changed: its SHA-256 is {found}, not {digest}", hint="copy it again"
            )
    return repro


def _refuse_outside(folder: Path, name: str) -> None:
    """Refuses a name that leads out of the bundle, also by a link in it."""
    with foreign.reading(folder / MANIFEST, "the repro.json of a repro bundle", _refusal):
        leads_to = (folder / name).resolve()
        if not leads_to.is_relative_to(folder.resolve()):
            raise _refusal(f"{folder / MANIFEST} names {name}, which leads out of the bundle")


def _refusal(message: str) -> ConfigError:
    return ConfigError(
        message, hint="copy the bundle again, or make it with this version: tinyhil bisect", kind=kinds.OTHER_VERSION
    )


def _bytes_of(arrays: Sequence[Array]) -> bytes:
    return b"".join(records_of(tuple(arrays)))


def _arrays(data: bytes, specs: tuple[TensorSpec, ...], vectors: int, folder: Path) -> tuple[Array, ...]:
    if vectors < 1 or len(data) != vectors * sum(spec.nbytes for spec in specs):
        raise _refusal(f"{folder} is no repro bundle: {len(data)} bytes are not {vectors} vectors of its model")
    return outputs_of(data, specs)


def _readme(repro: Repro, shown: Evidence) -> str:
    tensors = "\n".join(
        f"- `{name}`: {_tensors(specs)}, {len(_bytes_of(arrays))} bytes, row-major, little-endian"
        for name, specs, arrays in (
            (INPUT, shown.model.inputs, shown.inputs),
            (EXPECTED, shown.model.outputs, shown.expected),
            (ACTUAL, shown.model.outputs, shown.actual),
        )
    )
    versions = [repro.made_by, repro.reference]
    for side in repro.sides:
        tools = ", ".join(f"{name} {version}" for name, version in sorted(side.tool_versions.items()))
        versions.append(f"{side.folder}: {side.target.name}, engine {side.engine} ({side.kernels}); {tools}")
    before = repro.vectors - 1
    row = f"\nThe model keeps a state, so the {before} vectors before this one are sent too.\n" if before else ""
    boards = any(side.target.emulator is None for side in repro.sides)
    board = "\nA board that runs anything else is flashed first; `--port` says where it is.\n" if boards else ""
    return f"""# A wrong output, reproduced

{repro.finding}

To run it again, in this folder, on any machine with tinyhil and what the target needs:

    {COMMAND}

It runs the firmware of this folder on the input of this folder. Exit code 1: the output is still wrong; 0: it is right.
{board}{row}
{tensors}
- `{PREFIX}`: the model up to that layer, `sha256` {shown.model.sha256}
- `{MANIFEST}`: identities, the target's facts, versions, and the hash of every file

Made by:

{"".join(f"- {line}{chr(10)}" for line in versions)}"""


def _tensors(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name!r} {spec.dtype.name.lower()} {list(spec.shape)}" for spec in specs)

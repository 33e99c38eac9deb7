"""The faults that a model on a target gets, and those for which it has no place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tinyhil import tflite
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.errors import ConfigError
from tinyhil.experiments.selftest.faults import Check, Fault, LeftOut
from tinyhil.experiments.selftest.given import given_faults
from tinyhil.experiments.selftest.kept import kept_faults
from tinyhil.experiments.selftest.numbers import number_faults, stale
from tinyhil.experiments.selftest.sources import Way, source_faults
from tinyhil.link.inference import Infer, Result
from tinyhil.pipeline.run import Run
from tinyhil.targets.model import Target

KINDS = (
    *("weight", "bias", "scale", "zero point", "shift", "activation", "swapped layers"),
    *("stale model", "other build", "tensor"),
    *("checksum", "framing", "sequence", "byte order", "version", "message"),
    *("off by one", "order", "truncated output"),
    *("health", "model file", "samples", "manifest", "report"),
)
"""All kinds of faults: in the numbers, in what the device says of itself, in the link, in the way of the vectors; in
what a run is given, and in what it keeps."""


@dataclass(frozen=True)
class Plan:
    """What is to be planted.

    Attributes:
        faults: in the order in which they are planted.
        left_out: what the model or the target has no place for.
    """

    faults: tuple[Fault, ...]
    left_out: tuple[LeftOut, ...]


def plan(true: Run, only: Collection[str] = ()) -> Plan:
    """The faults for a model on a target, the same for the same model.

    Args:
        true: the run without a fault.
        only: kinds to keep; all of them where there are none.

    Raises:
        ConfigError: ``only`` has a kind that does not exist, or nothing is left.
    """
    if unknown := [kind for kind in only if kind not in KINDS]:
        raise ConfigError(f"there is no kind of fault {unknown[0]!r}", hint=f"there are {', '.join(KINDS)}")
    model, target = true.quantize(), true.target
    data = model.path.read_bytes()
    parsed, unpacked = tflite.parse(data, str(model.path)), tflite.unpack(data, str(model.path))
    compiles = target.build is not None
    found: list[Fault | LeftOut] = list(number_faults(parsed, unpacked, Check.FIDELITY if compiles else Check.FILE))
    yesterday = stale(parsed, unpacked)
    if yesterday is not None:
        found.append(Fault("stale model", "yesterday's model in a build of its own", Check.MODEL, yesterday, told=True))
    if compiles:
        found += source_faults(_way(model, target))
    else:
        found.append(LeftOut("link and firmware", f"{target.name} has no firmware: it runs the model file itself"))
    found += [*given_faults(true, model), *kept_faults(true)]
    wanted = set(only or KINDS)
    faults = tuple(each for each in found if isinstance(each, Fault) and each.kind in wanted)
    if not faults:
        raise ConfigError(
            f"{model.recipe} on {target.name} has no place for a fault of the kind {', '.join(sorted(wanted))}",
            hint="leave the kind out, or choose another target",
        )
    left_out = tuple(each for each in found if isinstance(each, LeftOut) and (not only or each.kind in wanted))
    return Plan(faults, left_out)


def _way(model: QuantizedModel, target: Target) -> Way:
    limit = target.link.max_payload
    request_bytes = sum(spec.nbytes for spec in model.inputs) + Infer.HEADER_BYTES
    result_bytes = sum(spec.nbytes for spec in model.outputs) + Result.HEADER_BYTES
    together = min(
        (limit - Infer.HEADER_BYTES) // (request_bytes - Infer.HEADER_BYTES),
        (limit - Result.HEADER_BYTES) // (result_bytes - Result.HEADER_BYTES),
        target.link.max_batch,
    )
    return Way(
        large=together < 1,
        together=together > 1 and model.vectors.count > 1,
        ranks=tuple(len(spec.shape) for spec in (*model.inputs, *model.outputs)),
    )

"""The command ``quantize``: one scheme the way an engine computes it right, or all of them side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.affine import TensorSpec
    from tinyhil.artifacts.types import FloatModel
    from tinyhil.experiments.schemes import Row
    from tinyhil.pipeline.run import Run
    from tinyhil.quantize.evaluation import Accuracy
    from tinyhil.quantize.inspection import TensorInspection

ALL = "all"


@takes_options(Level.PLACEMENT, without=("scheme",))
def quantize(
    output: Output,
    options: Options,
    model: MODEL,
    scheme: Annotated[
        str | None,
        typer.Option(
            "--scheme",
            metavar="NAME",
            help="float32, int8, int8-per-channel, int16x8, dynamic; or all, side by side.  [default: the recipe's]",
        ),
    ] = None,
) -> None:
    """Quantize a model so that the target's engine computes it right, and show what that costs in accuracy.

    Accuracy is that of the integer reference on the test set, against the float model and the targets.
    **--scheme all** shows every scheme side by side, with the engines that run it. A .tflite file is quantized
    already: it is shown as it is.

    **Example**

    tinyhil quantize sine --scheme all --json schemes.json
    """
    from tinyhil.experiments import schemes

    if scheme != ALL:
        job = open_job(output, model, replace(options, scheme=scheme))
        row = schemes.row(job.quantize(), _float_model(job))
        _show(output, (row,))
        output.write_json(_as_json(row))
        return
    job = open_job(output, model, options)
    rows = schemes.survey(job)
    _show(output, rows)
    output.write_json({"recipe": job.name, "schemes": [_as_json(row) for row in rows]})


def _float_model(job: Run) -> FloatModel | None:
    """The float model of what was quantized; None for a .tflite file."""
    try:
        return job.train()
    except ConfigError:
        return None


def _show(output: Output, rows: tuple[Row, ...]) -> None:
    """A table of figures, then what does not fit a column."""
    found = [row.accuracy for row in rows]
    lines = [("scheme", "bytes", "ops", *_head(found[0]))]
    for row in rows:
        cells = () if row.accuracy is None else _cells(row.accuracy)
        lines.append((row.model.scheme, f"{row.size:,}", str(len(row.model.ops)), *cells))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    output.console.print()
    for number, line in enumerate(lines):
        text = line[0].ljust(widths[0]) + "".join(
            f"  {cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True)
        )
        _print(output, text, style="bold" if number == 0 else None)
    if found[0] is not None:
        _print(output, f"over the {found[0].samples} samples of the test set, by the reference")
    for row in rows:
        _print(output, "")
        _print(output, row.model.scheme, style="bold")
        for label, text in _details(row):
            _print(output, f"  {label:<12} {text}")


def _head(found: Accuracy | None) -> tuple[str, ...]:
    if found is None:
        return ()
    return ("MAE vs float", "MAE", "MAE of float") if found.accuracy is None else ("same class", "accuracy", "drop")


def _cells(found: Accuracy) -> tuple[str, ...]:
    if found.accuracy is None:
        return _number(found.mae_against_float), _number(found.mae), _number(found.mae_float)
    return _percent(found.agreement), _percent(found.accuracy), _percent(found.drop)


def _details(row: Row) -> list[tuple[str, str]]:
    from tinyhil.affine import unit_of_difference

    model, inspection = row.model, row.inspection
    ops = ", ".join(f"{name} x{count}" if count > 1 else name for name, count in Counter(model.ops).items())
    details = [("ops", ops), ("reference", model.reference)]
    if model.litert is not None:
        litert, unit = model.litert, unit_of_difference(spec.dtype for spec in model.outputs)
        found = f"differs from the reference in {litert.mismatches} of {model.vectors.count} vectors"
        by = f", by up to {litert.max_lsb} {unit}" if litert.mismatches else ""
        details.append(("LiteRT", f"{found}{by} ({litert.name})"))
    if model.scheme != "float32" and not row.quantized:
        details.append(("note", "nothing was quantized, this is the float model: no layer has 1,024 weights or more"))
    if (worst := inspection.worst) is not None and worst.error:
        share = _percent(worst.error_share)
        details.append(("worst layer", f"{_place(worst)}: {_number(worst.error)} off, {share} of its range"))
    if (full := inspection.most_saturated) is not None:
        details.append(("saturation", f"at most {_percent(full.saturation)} of a tensor's values, {_place(full)}"))
    if (least := inspection.least_covered) is not None:
        where = "" if least.coverage == 1 else f", {_place(least)}"
        details.append(("calibration", f"covers at least {_percent(least.coverage)} of a tensor's values{where}"))
    details += [("rewritten", text) for text in model.rewrites]
    taken = ", ".join(f"{taker.engine} on {taker.target}" for taker in row.taken_by)
    details.append(("runs on", taken or "no engine of any target"))
    return details


def _place(tensor: TensorInspection) -> str:
    return "the input" if tensor.made_by == "input" else tensor.made_by


def _print(output: Output, text: str, style: str | None = None) -> None:
    output.console.print(text, style=style, markup=False, soft_wrap=True, highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _as_json(row: Row) -> dict[str, Any]:
    import msgspec

    model = row.model
    return {
        "model": str(model.path),
        "model_sha256": model.sha256,
        "scheme": model.scheme,
        "bytes": row.size,
        "ops": model.ops,
        "inputs": [_tensor(spec) for spec in model.inputs],
        "outputs": [_tensor(spec) for spec in model.outputs],
        "vectors": model.vectors.count,
        "exhaustive": model.vectors.exhaustive,
        "quantized": row.quantized,
        "reference": model.reference,
        "litert": msgspec.to_builtins(model.litert),
        "rewrites": model.rewrites,
        "accuracy": (
            None if row.accuracy is None else {**msgspec.to_builtins(row.accuracy), "drop": row.accuracy.drop}
        ),
        "inspection": msgspec.to_builtins(row.inspection),
        "worst_layer": msgspec.to_builtins(row.inspection.worst),
        "engines": [
            {"target": taker.target, "engine": taker.engine, "problems": [problem.cause for problem in taker.problems]}
            for taker in row.takers
        ],
    }


def _tensor(spec: TensorSpec) -> dict[str, object]:
    return {
        "name": spec.name,
        "dtype": spec.dtype.name.lower(),
        "shape": spec.shape,
        "scale": spec.scale,
        "zero_point": spec.zero_point,
    }

"""The command ``profile``: what each operator of a model takes on its target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyhil.cli.job import open_job
from tinyhil.cli.options import MODEL, takes_options
from tinyhil.cli.session import Output
from tinyhil.options import Level, Options
from tinyhil.plain_text import aligned

if TYPE_CHECKING:
    from tinyhil.experiments.profile import Profile

_BAR = 24
"""Characters of the longest bar."""


@takes_options(Level.DEVICE, flash=True, search=0)
def profile(output: Output, options: Options, model: MODEL) -> None:
    """Show what each operator takes on the target: instructions or time, multiply-accumulates, weights and memory.

    It is measured in the very image that **run** uses, one operator after the other; the last lines say how far their
    sum is from a whole inference. The last column is a timeline of the memory that the tensors take while each
    operator runs.

    **Examples**

    tinyhil profile digits

    tinyhil profile model.tflite --target qemu-m4 --engine tflm
    """
    import msgspec

    from tinyhil.cli.console import show_rows
    from tinyhil.experiments import profile as experiment

    found = experiment.profile(open_job(output, model, options))
    output.console.print()
    for line in _table(found):
        output.console.print(line, markup=False, soft_wrap=True, highlight=False)
    output.console.print()
    memory = [] if found.memory_bytes is None else [("memory", f"{found.memory_bytes:,} B of working memory")]
    show_rows(
        output.console,
        [
            ("operators", f"{found.total:,.0f} {found.unit}"),
            ("inference", f"{found.inference:,.0f} {found.unit}, {found.unaccounted:+.2%} beside the operators"),
            *memory,
        ],
    )
    output.write_json(
        {
            "unit": found.unit,
            "inference": found.inference,
            "total": found.total,
            "unaccounted": found.unaccounted,
            "memory_bytes": found.memory_bytes,
            "operators": msgspec.to_builtins(found.operators),
        }
    )


def _table(found: Profile) -> list[str]:
    """The lines of the table, columns of figures to the right."""
    widest = max(operator.live_bytes for operator in found.operators)
    rows = [("#", "operator", found.unit, "share", "MACs", "per MAC", "weights", "tensors", "")]
    for each in found.operators:
        per_mac = f"{each.cost / each.macs:.2f}" if each.macs else ""
        rows.append(
            (
                "" if each.operator is None else str(each.operator),
                each.name,
                f"{each.cost:,.0f}",
                f"{each.cost / found.total:.1%}" if found.total else "",
                f"{each.macs:,}" if each.macs else "",
                per_mac,
                f"{each.weight_bytes:,}" if each.weight_bytes else "",
                f"{each.live_bytes:,}",
                "█" * max(1, round(_BAR * each.live_bytes / widest)) if widest else "",
            )
        )
    return list(aligned(rows, (0, *range(2, 8))))

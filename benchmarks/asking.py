"""Times how long the monitor's prompt waits for an answer: the port changes hands for each question.

``python benchmarks/asking.py [TARGET]``; the sine's demo runs on the target in between. Nothing is asserted: machines
differ. The issue's budget is printed for comparison.
"""

from __future__ import annotations

import statistics
import sys
import time

from tinyhil.cli.monitor_ports import open_ports
from tinyhil.cli.session import command
from tinyhil.options import Options

QUESTIONS = 50
BUDGET_S = 0.1


def main() -> None:
    """Asks, and prints the figures."""
    target = sys.argv[1] if len(sys.argv) > 1 else "native"
    seconds = []
    with command() as output, open_ports(output, Options(target=target), "sine", [], None, (None, None)) as opened:
        assert opened.ask is not None
        time.sleep(0.5)  # the demo runs
        for _ in range(QUESTIONS):
            begun = time.perf_counter()
            (answer,) = opened.ask("1.57")
            seconds.append(time.perf_counter() - begun)
            assert answer.distance == 0
            time.sleep(0.1)
            opened.sources[0].take()
    print(f"x> 1.57 on {target}, {QUESTIONS} times: median {1000 * statistics.median(seconds):.1f} ms,", end=" ")
    print(f"min {1000 * min(seconds):.1f} ms, max {1000 * max(seconds):.1f} ms; budget {1000 * BUDGET_S:.0f} ms")


main()

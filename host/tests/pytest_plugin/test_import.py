"""The plugin is loaded by every pytest run of whoever has tinyhil installed."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import tinyhil.pytest_plugin
ours = {name for name in sys.modules if name.startswith("tinyhil.") and not name.startswith("tinyhil.pytest_plugin")}
print(sorted(ours | {"numpy", "msgspec", "xdist"} & set(sys.modules)))
"""


def test_it_costs_nothing_before_a_test_asks_for_a_device(child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=child_environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['tinyhil.options', 'tinyhil.plain_text']"

"""The schema's classes come alone, and are those that everybody else has."""

from __future__ import annotations

import subprocess
import sys

from tinyhil import tflite

ALONE = """
import sys
from tinyhil import tflite
schema = tflite.schema()
assert "tflite_micro" not in sys.modules, "the whole package was imported"
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated
from tflite_micro import runtime
assert schema_py_generated is schema is tflite.schema()
"""


def test_it_comes_without_the_rest_of_the_package_and_is_the_same_module() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_package_that_was_imported_before_is_taken() -> None:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    assert tflite.schema() is schema_py_generated

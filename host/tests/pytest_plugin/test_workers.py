"""Which worker a test goes to."""

from __future__ import annotations

import pytest

from tinyhil.pytest_plugin.workers import device_of

NAMES = ["native", "native-asan", "esp32", "esp32s3"]


@pytest.mark.parametrize(
    ("nodeid", "device"),
    [
        ("tests/test_a.py::test_b[native]", "native"),
        ("tests/test_a.py::test_b[native-noise]", "native"),
        ("tests/test_a.py::test_b[noise-native]", "native"),
        ("tests/test_a.py::test_b[native-asan]", "native-asan"),
        ("tests/test_a.py::test_b[native-asan-noise]", "native-asan"),
        ("tests/test_a.py::test_b[esp32s3]", "esp32s3"),
        ("tests/test_a.py::test_b[esp32-x]", "esp32"),
        ("tests/test_a.py::test_b[nativeness]", None),
        ("tests/native/test_a.py::test_native", None),
        ("tests/test_a.py::test_b[x]", None),
    ],
)
def test_it_is_the_one_of_its_target(nodeid: str, device: str | None) -> None:
    assert device_of(nodeid, NAMES) == device

"""The plugin's fixtures have everyday names; a user's own of the same name come first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest

@pytest.mark.parametrize("target", ["mine"])
def test_parametrized(target):
    assert target == "mine"

@pytest.mark.parametrize(("count", "target"), [(1, "mine")])
def test_parametrized_with_others(count, target):
    assert (count, target) == (1, "mine")

class TestFixture:
    @pytest.fixture
    def target(self):
        return "mine"

    def test_fixture(self, target):
        assert target == "mine"

def test_ours(target):
    assert target.name in ("native", "sim")
"""


def test_a_users_own_target_is_left_alone(tmp_path: Path, child_environment: dict[str, str]) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_mine.py").write_text(TESTS)
    argv = [sys.executable, "-m", "pytest", "-v", "-p", "tinyhil.pytest_plugin", "--target", "native,sim"]
    # Where tinyhil is installed the plugin is there already, and is not to be loaded twice.
    environment = {**child_environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = sorted(line.split("::", 1)[1].split()[0] for line in done.stdout.splitlines() if " PASSED" in line)
    assert passed == [
        "TestFixture::test_fixture",
        "test_ours[native]",
        "test_ours[sim]",
        "test_parametrized[mine]",
        "test_parametrized_with_others[1-mine]",
    ]

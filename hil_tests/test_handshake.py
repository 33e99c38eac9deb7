"""What the device says of itself has to be what was built for it."""

from __future__ import annotations

from tinyhil.pytest_plugin import Dut
from tinyhil.session import Session


def test_it_runs_this_model(dut: Dut) -> None:
    assert dut.welcome.model_sha256.hex() == dut.model.sha256


def test_it_runs_this_build(dut: Dut) -> None:
    assert dut.welcome.project_sha256.hex() == dut.image.project_sha256


def test_it_runs_this_engine(dut: Dut) -> None:
    assert dut.welcome.engine == dut.run.engine


def test_it_takes_the_payload_that_the_target_promises(dut: Dut) -> None:
    assert dut.welcome.max_payload == dut.run.target.link.max_payload


def test_it_has_a_clock_where_the_target_measures(dut: Dut) -> None:
    """Where it does not, the device may have one that means nothing."""
    assert dut.welcome.tick_rate > 0 or dut.run.target.measure.unit == "nothing"


def test_greeted_again_it_is_the_same_and_has_not_restarted(session: Session) -> None:
    before = session.welcome
    assert [session.greet() for _ in range(3)] == [before] * 3

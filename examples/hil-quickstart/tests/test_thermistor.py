"""Does the chip compute the model, and is that good enough? `pytest` asks an emulated Cortex-M4."""

import importlib.util
from pathlib import Path

import numpy as np

RECIPE = Path(__file__).parents[1] / "recipes" / "thermistor.py"


def test_the_recipe_agrees_with_the_data_sheet():
    """An ordinary test: it asks for no device, and runs with `-m "not hil"` too."""
    spec = importlib.util.spec_from_file_location("thermistor", RECIPE)
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    np.testing.assert_allclose(recipe.truth(np.array([0.5])), [25.0])
    np.testing.assert_allclose(recipe.share(recipe.truth(np.array([0.2, 0.7]))), [0.2, 0.7])


def test_the_verdict_is_pass(dut):
    """Fidelity and the recipe's bounds on accuracy, over all inputs that the model can be given."""
    dut.check()


def test_every_answer_is_exact(dut, soft):
    soft.exact(dut.answers)


def test_room_temperature(session, soft):
    """Ask the device what you like: real values in, real values out."""
    answers = session.infer([[0.45], [0.5], [0.55]])
    warmer, at_25, colder = answers.real[0].ravel()
    soft.exact(answers)
    soft.that(abs(at_25 - 25.0) < 3.0, f"half of the supply voltage is 25 degrees, not {at_25:.1f}")
    soft.that(warmer > at_25 > colder, f"{warmer:.1f}, {at_25:.1f}, {colder:.1f} do not fall")


def test_a_power_cut_changes_nothing(device, session, soft):
    if device.can_restart:
        device.restart()
    soft.exact(session.infer([[0.3], [0.6]]))


def test_a_bad_line_changes_nothing(device, fault_proxy, soft):
    bad = fault_proxy(device.port, seed=7, drop_frame=0.1, duplicate_frame=0.1)
    with device.session(bad.port) as session:
        soft.exact(session.infer([[0.3], [0.6]]))


def test_it_fits(dut, target):
    assert dut.image.flash_bytes <= target.chip.flash_bytes
    assert dut.image.ram_bytes <= target.chip.ram_bytes

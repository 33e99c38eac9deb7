"""What the plugin's options mean, and which of them cannot be meant."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from tinyhil.pytest_plugin import options


def config(targets: list[str] | None = None, ports: list[str] | None = None) -> Any:
    """What the functions look at of a configuration."""
    return SimpleNamespace(option=SimpleNamespace(target=targets, port=ports))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (None, ["qemu-m4"]),
        (["native"], ["native"]),
        (["native,sim"], ["native", "sim"]),
        (["native", "sim, native", "qemu-m4"], ["native", "sim", "qemu-m4"]),
    ],
)
def test_targets_are_each_there_once(asked: list[str] | None, names: list[str]) -> None:
    assert options.targets(config(asked)) == names


@pytest.mark.parametrize("asked", ["", ",", "native,", " "])
def test_a_missing_name_is_refused(asked: str) -> None:
    with pytest.raises(pytest.UsageError, match="a name is missing"):
        options.targets(config([asked]))


@pytest.mark.parametrize("text", ["/dev/ttyACM0", "rfc2217://board:4000?ign_set_control=1", "usb:AB=CD"])
def test_one_target_s_port_is_taken_as_it_is(text: str) -> None:
    assert options.port(config(["esp32"], [text]), "esp32") == text
    assert options.port(config(["esp32"], [f"esp32={text}"]), "esp32") == text


def test_each_of_several_targets_has_its_own_port() -> None:
    asked = config(["esp32,nano33ble,qemu-m4"], ["nano33ble=/dev/ttyACM0", "esp32=socket://a:1?x=2"])
    found = {name: options.port(asked, name) for name in options.targets(asked)}
    assert found == {"esp32": "socket://a:1?x=2", "nano33ble": "/dev/ttyACM0", "qemu-m4": None}


@pytest.mark.parametrize(
    ("targets", "ports", "words"),
    [
        ("esp32,nano33ble", ["/dev/ttyACM0"], "which target it is for"),
        ("esp32,nano33ble", ["sim=/dev/ttyACM0"], "which target it is for"),
        ("esp32,nano33ble", ["esp32=/dev/a", "esp32=/dev/b"], "esp32 has the port /dev/a already"),
        ("esp32", ["/dev/a", "/dev/b"], "esp32 has the port /dev/a already"),
    ],
)
def test_a_port_that_is_nobody_s_is_refused(targets: str, ports: list[str], words: str) -> None:
    with pytest.raises(pytest.UsageError, match=re.escape(words)):
        options.port(config([targets], ports), "esp32")

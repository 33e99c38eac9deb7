"""What the user gave cannot be used: exit code 2, the cause, the next step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyhil.cli.app import application

from .cli import Cli

COMMANDS = sorted(
    str(each.name or each.callback.__name__) for each in application().registered_commands if each.callback
)
GROUPS = {str(each.name): each.typer_instance for each in application().registered_groups}
"""Commands that have commands of their own."""
OF_GROUPS = [f"{name} {each.name}" for name, group in GROUPS.items() if group for each in group.registered_commands]


@pytest.mark.parametrize("command", [*COMMANDS, *GROUPS, *OF_GROUPS])
def test_every_command_explains_itself(tinyhil: Cli, command: str) -> None:
    done = tinyhil(*command.split(), "--help")
    assert done.code == 0
    assert f"{command} [OPTIONS]" in done.out
    assert done.err == ""
    # Rich frames the options; what is before them is text.
    assert any(line.strip().startswith("tinyhil ") for line in done.out.splitlines()), "an example on its own line"
    assert "<bool>" not in done.out
    assert "BOOLEAN" not in done.out


def test_help_names_every_command_and_the_exit_codes(tinyhil: Cli) -> None:
    out = tinyhil("--help").out
    assert all(f" {command} " in out for command in [*COMMANDS, *GROUPS])
    assert "3 blocked" in out


@pytest.mark.parametrize(
    ("arguments", "cause", "step"),
    [
        (["run", "cosine"], "unknown recipe 'cosine'", "known recipes: conv-digits"),
        (["run", "sine", "--target", "qemu-m5"], "unknown target 'qemu-m5'", "known targets: esp32,"),
        (["run", "sine", "--engine", "onnx"], "has no engine 'onnx'", "it has compiled, tflm"),
        (["run", "sine", "--scheme", "int5"], "unknown scheme 'int5'", "known schemes: float32, int8, "),
        (["preflight", "m.tflite", "--engine", "onnx"], "has no engine 'onnx'", "it has compiled, tflm"),
        (["report", "sine"], "there is no report", "tinyhil run"),
    ],
)
def test_unknown_names(tinyhil: Cli, arguments: list[str], cause: str, step: str) -> None:
    done = tinyhil(*arguments)
    assert done.code == 2
    assert cause in done.err
    assert step in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "cause", "step"),
    [
        (["run"], "tinyhil run: missing argument", "tinyhil run --help"),
        (["run", "sine", "--tarqet", "sim"], "tinyhil run: no such option: --tarqet", "did you mean --target?"),
        (["run", "sine", "--frobnicate"], "tinyhil run: no such option: --frobnicate", "tinyhil run --help"),
        (["run", "sine", "--target"], "option '--target' requires an argument", "tinyhil --help"),
        (["run", "sine", "--force=3"], "option '--force' does not take a value", "tinyhil --help"),
        (["run", "sine", "--search", "x"], "invalid value for '--search'", "tinyhil run --help"),
        (["run", "sine", "--search", "-5"], "invalid value for '--search'", "tinyhil run --help"),
        (["verify", "sine", "sine"], "unexpected extra argument", "tinyhil verify --help"),
        (["runn"], "no such command 'runn'. Did you mean 'run'?", "tinyhil --help"),
        (["sine"], "no such command 'sine': it is a model", "tinyhil run sine"),
        (["my/net.tflite", "--target", "sim"], "it is a model", "tinyhil run my/net.tflite"),
        (["--frobnicate"], "tinyhil: no such option", "tinyhil --help"),
        (["run", "--x\x1b[2J\n::error::y"], r"no such option: --x\x1b[2J", "tinyhil run --help"),
    ],
)
def test_wrong_usage(arguments: list[str], cause: str, step: str) -> None:
    done = CliRunner().invoke(application(), arguments)
    assert done.exit_code == 2
    first, last = done.stderr.splitlines()
    assert first.startswith("error TH-101: ")
    assert cause in first
    assert last.startswith("next:  ")
    assert step in last
    assert done.stdout == ""


def test_without_arguments_it_explains_itself() -> None:
    done = CliRunner().invoke(application(), [])
    assert done.exit_code == 2
    assert "COMMAND" in done.output
    assert "TH-101" not in done.output


def test_unknown_key_in_a_recipe(tinyhil: Cli, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.toml").write_text('name = "mine"\ntitle = "t"\ncode = "mine.py"\nepoch = 3\n')
    done = tinyhil("train", "mine")
    assert done.code == 2
    assert "mine.toml" in done.err
    assert "`epoch`" in done.err


def test_unknown_key_in_a_target(tinyhil: Cli, target_file: Callable[..., str]) -> None:
    name = target_file("mine", ("max_payload", "maximal_payload"))
    done = tinyhil("run", "sine", "--target", name)
    assert done.code == 2
    assert "mine.toml" in done.err
    assert "`maximal_payload`" in done.err


@pytest.mark.long
def test_a_firmware_that_is_no_image(tinyhil: Cli, copied: Path, tmp_path: Path) -> None:
    whole = (copied / "sine/qemu-m4/firmware/firmware.elf").read_bytes()
    for content in (b"", b"not an ELF file", whole[: len(whole) // 2]):
        (tmp_path / "x.elf").write_bytes(content)
        done = tinyhil("verify", "sine", "--firmware", "x.elf")
        assert done.code == 2, done.err
        assert "x.elf" in done.err
    assert tinyhil("verify", "sine", "--firmware", "absent.elf").code == 2

"""What the shell completes: in a real bash, and by the protocol of zsh and fish."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from .cli import Cli

SHELLS = ("bash", "zsh", "fish")
WORDS = {
    ("",): {"run", "quantize", "explain", "targets"},
    ("qua",): {"quantize", "quarantine"},
    ("run", ""): {"sine", "digits", "conv-digits", "mine.tflite"},
    ("run", "si"): {"sine"},
    ("run", "sine", "--target", ""): {"qemu-m4", "native", "sim"},
    ("run", "sine", "--target", "qemu-m4", "--engine", ""): {"compiled", "tflm"},
    ("run", "sine", "--scheme", "int8"): {"int8", "int8-per-channel"},
    ("run", "sine", "--sea"): {"--search"},
    ("models", "sub"): {"subfolder/"},
    ("models", ".", "--target", "sim", "--target", "qemu-m4", "--engine", ""): {"compiled", "tflm", "tflm-host", "all"},
    ("explain", "TH-9"): {"TH-900"},
    ("doctor", "--target", "nati"): {"native"},
}
FEW = (("run", "si"), ("models", "sub"), ("explain", "TH-9"))
"""A name, a folder and a list: each shell but bash is told the same words in its own form."""


def script(cli: Cli, shell: str) -> str:
    """What ``tinyhil --show-completion`` gives a shell."""
    return ask(cli, {"_TINYHIL_COMPLETE": f"source_{shell}"})


def ask(cli: Cli, environment: dict[str, str]) -> str:
    """What the program prints when a shell asks it."""
    code = "import sys; sys.argv = ['tinyhil']; from tinyhil.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cli.cwd,
        env={**cli.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A folder with a model file, and the program ``tinyhil`` in ``bin``."""
    tinyhil = Cli(tmp_path_factory.mktemp("completion"))
    (tinyhil.cwd / "mine.tflite").write_bytes(b"")
    (tinyhil.cwd / "subfolder").mkdir()
    file = tinyhil.cwd / "bin" / "tinyhil"
    file.parent.mkdir()
    file.write_text(f"#!{sys.executable}\nfrom tinyhil.cli.main import main\nmain()\n")
    file.chmod(0o755)
    return tinyhil


@pytest.fixture(scope="module")
def bash(program: Cli) -> str:
    """What bash is to read."""
    return script(program, "bash")


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_bash_completes(program: Cli, bash: str, words: tuple[str, ...]) -> None:
    """The function that the script defines, called as readline calls it."""
    line = ("tinyhil", *words)
    asked = "\n".join(
        [
            bash,
            f"COMP_WORDS=({' '.join(map(shlex.quote, line))}); COMP_CWORD={len(words)}",
            "function=$(complete -p tinyhil | sed 's/.*-F \\([^ ]*\\).*/\\1/')",
            f'"$function" tinyhil {shlex.quote(words[-1])} {shlex.quote(line[-2])}',
            'printf "%s\\n" "${COMPREPLY[@]}"',
        ]
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        cwd=program.cwd,
        env={**program.environment(), "PATH": f"{program.cwd / 'bin'}:{program.environment()['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    check(words, {word.strip() for word in done.stdout.splitlines()})


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_are_told(program: Cli, shell: str) -> None:
    for words in FEW:
        wanted = WORDS[words]
        typed = " ".join(("tinyhil", *words))
        asked = {"_TINYHIL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": typed}
        if shell == "fish":
            asked |= {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        told = ask(program, asked)
        found = {word.strip('" ') for line in told.splitlines() for word in line.replace('":"', "\t").split("\t")[:1]}
        found = {word.removeprefix("_arguments '*: :((").removesuffix("))'").strip('"') for word in found}
        assert wanted <= found, (words, told)


def check(words: tuple[str, ...], found: set[str]) -> None:
    """All that is wanted is there, and nothing that does not begin as what was typed."""
    assert WORDS[words] <= found
    assert all(word.startswith(words[-1]) for word in found)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script(program: Cli, shell: str) -> None:
    assert f"complete_{shell}" in script(program, shell)

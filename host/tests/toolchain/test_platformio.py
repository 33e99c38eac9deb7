from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from tinyhil.errors import MissingToolError, StorageError, ToolError
from tinyhil.progress import Silent
from tinyhil.targets.model import LOCAL_PLATFORM, Build, Program
from tinyhil.toolchain import core_dir, platformio
from tinyhil.toolchain.platformio import BuildOutput

Writer = Callable[[Path], Path]


class Listener(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, str]] = []
        self.commands: list[list[str]] = []
        self.lines: list[str] = []

    def progress(self, done: int, total: int, note: str = "") -> None:
        self.steps.append((done, total, note))

    def command(self, argv: Sequence[str]) -> None:
        self.commands.append(list(argv))

    def text(self, line: str) -> None:
        self.lines.append(line)


def build(project: Path, needs: Build) -> BuildOutput:
    return platformio.build(project, "sample", needs, Silent())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The image that the sample's own sources gave, once it is built."""
    return {}


@pytest.fixture
def reference(shared: dict[str, bytes], write_project: Writer, needs: Build, tmp_path: Path) -> bytes:
    if not shared:
        shared["elf"] = build(write_project(tmp_path / "reference"), needs).elf.read_bytes()
    return shared["elf"]


def test_a_project_is_built_and_told_about(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    listener = Listener()
    output = platformio.build(write_project(tmp_path), "sample", needs, listener)

    assert output.elf.read_bytes()[:4] == b"\x7fELF"
    assert output.map is not None
    assert "Linker script and memory map" in output.map.read_text()
    for package in ("platformio", "scons"):
        assert output.tool_versions[package] == importlib.metadata.version(package)
    for program in needs.programs:
        assert output.tool_versions[program.name].startswith(program.name)

    assert listener.commands[0][:4] == [sys.executable, "-m", "platformio", "run"]
    assert any("[SUCCESS]" in line for line in listener.lines)
    assert not any("\x1b" in line for line in listener.lines)
    sources = sum(path.suffix in {".c", ".cpp"} for path in tmp_path.rglob("*") if ".pio" not in path.parts)
    assert [step[:2] for step in listener.steps] == [(i, sources + 1) for i in range(1, sources + 2)]
    assert listener.steps[-1][2] == "firmware.elf"


def test_the_same_sources_give_the_same_bytes_anywhere(
    reference: bytes, write_project: Writer, needs: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-O0 -DGREETING=7")
    monkeypatch.setenv("PLATFORMIO_BUILD_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # so that nothing is copied from the first build
    elsewhere = write_project(tmp_path / "another place, with = and \N{LATIN SMALL LETTER E WITH ACUTE}")
    assert build(elsewhere, needs).elf.read_bytes() == reference
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.long
def test_other_sources_give_other_bytes_and_a_restored_one_the_first(
    reference: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    project = write_project(tmp_path)
    header = project / "include" / "tinyhil_config.h"
    text = header.read_text()
    header.write_text(text.replace("hello", "hellO"))
    assert build(project, needs).elf.read_bytes() != reference
    header.write_text(text)
    assert build(project, needs).elf.read_bytes() == reference


def test_a_changed_linker_script_links_again(
    reference: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    project = write_project(tmp_path)
    build(project, needs)
    script = project / "lib" / "tinyhil_port" / "mps2" / "mps2_an386.ld"
    script.write_text(script.read_text().replace("ORIGIN = 0x20000000", "ORIGIN = 0x20001000"))
    assert build(project, needs).elf.read_bytes() != reference


def test_the_project_builds_without_tinyhil_from_its_own_folder(
    reference: bytes, write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    project = write_project(tmp_path)
    environment = {
        **os.environ,
        "PLATFORMIO_CORE_DIR": str(core_dir.prepare(needs)),
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "platformio", "run"], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / ".pio" / "build" / "sample" / "firmware.elf").read_bytes() == reference


@pytest.mark.long
def test_each_project_uses_the_platform_in_its_own_folder(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    images: list[list[str]] = []
    for name in ("first", "second"):
        project = write_project(tmp_path / name)
        main = project / "platforms" / "tinyhil" / "builder" / "main.py"
        main.write_text(
            main.read_text() + f'\nenv.Append(CPPDEFINES=["GREETING={len(images)}"])\nprint("this is {name}")\n'
        )
        listener = Listener()
        platformio.build(project, "sample", needs, listener)
        images.append([line for line in listener.lines if line.startswith("this is")])
    assert images == [["this is first"], ["this is second"]]


def test_a_board_is_only_a_file(write_project: Writer, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed: apt-get install g++")
    project = write_project(tmp_path)
    board = {
        "name": "This computer",
        "vendor": "any",
        "url": "",
        "build": {
            **{"mcu": "host", "f_cpu": "0L", "toolchain": ""},
            **{"machine_flags": ["-DANSWER=42"], "optimisation": ["-O0"], "link_flags": []},
        },
        "upload": {"maximum_size": 0, "maximum_ram_size": 0},
    }
    (project / "platforms" / "tinyhil" / "boards" / "here.json").write_bytes(msgspec.json.encode(board))
    ini = project / "platformio.ini"
    ini.write_text(ini.read_text().replace("mps2_an386", "here"))
    shutil.rmtree(project / "lib")
    (project / "src" / "main.cpp").write_text(
        '#ifdef __OPTIMIZE__\n#error "optimised"\n#endif\nint main() { return ANSWER; }\n'
    )
    output = build(project, Build(platform=LOCAL_PLATFORM, board="here", ports=("none",)))
    assert subprocess.run([str(output.elf)]).returncode == 42


def test_nothing_is_asked_of_the_network(
    write_project: Writer, needs: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL", "0")  # a check is always due
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        project = write_project(tmp_path)
        build(project, needs)
        build(project, needs)  # the first use of a core folder only notes the time of the next check
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_compiler_error_is_in_the_message_and_all_output_in_the_detail(
    write_project: Writer, needs: Build, tmp_path: Path
) -> None:
    project = write_project(tmp_path)
    main = project / "src" / "main.cpp"
    # A warning, as the sample's model has many: in our own sources it is an error.
    main.write_text("int main() {\n  int never_used;\n}\n")
    with pytest.raises(ToolError, match=r"src/main\.cpp:2:7: error: unused variable 'never_used'") as caught:
        build(project, needs)
    assert "could not build the firmware for sample" in caught.value.message
    assert "[FAILED]" in caught.value.detail
    assert "-v shows all of it" in caught.value.hint


def test_a_header_that_is_not_there_hints_at_packages(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    project = write_project(tmp_path)
    (project / "src" / "main.cpp").write_text("#include <not_there.h>\n")
    with pytest.raises(ToolError, match=r"fatal error: not_there\.h") as caught:
        build(project, needs)
    assert "sudo apt-get install gcc-arm-none-eabi" in caught.value.hint


def test_a_missing_linker_script_is_named(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    project = write_project(tmp_path)
    (project / "lib" / "tinyhil_port" / "mps2" / "mps2_an386.ld").unlink()
    with pytest.raises(ToolError, match=r"has no linker script lib/tinyhil_port/mps2/mps2_an386\.ld"):
        build(project, needs)


def test_a_missing_compiler_is_named_with_its_packages(write_project: Writer, tmp_path: Path) -> None:
    needs = Build(
        platform="local",
        board="b",
        ports=("p",),
        programs=(Program(name="no-such-gcc", debian="gcc-no-such libc-no-such"),),
    )
    with pytest.raises(MissingToolError, match="no-such-gcc is not installed") as caught:
        build(write_project(tmp_path), needs)
    assert caught.value.hint == "sudo apt-get install gcc-no-such libc-no-such"


def test_a_folder_without_a_project(needs: Build, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"has no platformio\.ini"):
        build(tmp_path, needs)


def test_a_build_folder_that_cannot_be_written(write_project: Writer, needs: Build, tmp_path: Path) -> None:
    project = write_project(tmp_path)
    (project / ".pio").write_text("in the way")
    with pytest.raises(StorageError, match="cannot build in"):
        build(project, needs)


def test_a_full_disk_is_no_error_in_the_source(
    write_project: Writer, needs: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "bin" / "arm-none-eabi-g++"
    full.parent.mkdir()
    # Answers to --version; else fails as the real one does when it cannot write, with the kernel's own words.
    full.write_text("#!/bin/bash\n[ $# = 1 ] || echo code >/dev/full\n")
    full.chmod(0o755)
    monkeypatch.setenv("PATH", f"{full.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(StorageError, match="No space left on device"):
        build(write_project(tmp_path / "project"), needs)

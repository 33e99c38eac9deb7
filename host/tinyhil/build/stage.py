"""The stage: builds the project with PlatformIO and keeps the linked image, with its size and what built it.

Where nothing is compiled, the model file and its description are the image (interpreted.py).

The image is copied out of PlatformIO's own folder, so that the artifact stays what it was when the user builds the
project by hand.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from tinyhil import kinds
from tinyhil.artifacts import foreign, hashing, store
from tinyhil.artifacts.types import FirmwareImage, Project
from tinyhil.build import interpreted
from tinyhil.errors import InputError, ToolError
from tinyhil.progress import Reporter
from tinyhil.targets.model import Target
from tinyhil.toolchain import image as images
from tinyhil.toolchain import platformio

STAGE = "build"
ELF = "firmware.elf"
MAP = "firmware.map"


def build(project: Project, target: Target, folder: Path, reporter: Reporter) -> tuple[FirmwareImage, bool]:
    """Builds ``project`` into ``folder``.

    Returns:
        The image, and whether it was found rather than built.

    Raises:
        MissingToolError: a compiler, PlatformIO or the engine's library is not installed.
        StorageError: a folder cannot be written.
        ToolError: the build failed, or the image does not fit the chip.
    """
    if target.build is None:
        return interpreted.build(project, folder)
    engine = target.engines[project.engine]
    needs = msgspec.structs.replace(target.build, programs=(*target.build.programs, *engine.programs))
    compilers = platformio.compilers(needs)
    library, library_sha256 = None, ""
    if engine.library:
        library = platformio.library(project.folder, project.environment, engine.library, needs, reporter)
        library_sha256 = library.sha256()
    kept = _belonging(target)
    wanted = hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent, Path(platformio.__file__).parent]),
            "project": project.sha256,
            "build": msgspec.to_builtins(needs),
            "library": library_sha256,
            "compilers": compilers,
            "kept": kept,
        }
    )
    manifest = store.load(folder, STAGE, wanted)
    found = manifest is not None
    if manifest is None:
        output = platformio.build(project.folder, project.environment, needs, reporter)
        # Only now: an image of before is of use to whoever's compiler has just failed.
        store.make_folder(folder)
        store.forget(folder)
        names = [ELF]
        with store.storage(folder):
            shutil.copy(output.elf, folder / ELF)  # with its mode: the firmware may be a program of the host
            if output.map is not None:
                shutil.copyfile(output.map, folder / MAP)
                names.append(MAP)
            for file in kept:
                name = Path(file).name
                shutil.copyfile(platformio.beside(output, file), folder / name)
                names.append(name)
        versions, digests = dict(output.tool_versions), dict(output.tool_sha256)
        if library is not None:
            versions[library.name] = library.version
            digests[library.name] = library_sha256
        facts = {"tool_versions": versions, "tool_sha256": digests}
        manifest = store.save(folder, STAGE, wanted, tuple(names), facts)
    image = _measured(folder / ELF, project, target)
    said = {name: manifest.facts[name] for name in ("tool_versions", "tool_sha256")}
    return replace(image, **said), found


def _belonging(target: Target) -> list[str]:
    """What of the build has to be kept beside the image, because the target's emulator takes more than that."""
    emulator = target.emulator
    return [part.file for part in emulator.flash_image.parts] if emulator and emulator.flash_image else []


def prebuilt(elf: Path, project: Project, target: Target) -> FirmwareImage:
    """An image that was built elsewhere, to be held against ``project``.

    Raises:
        InputError: there is no such file, or it is not a linked image.
    """
    if why := foreign.why_not_reached(elf):
        raise InputError(f"cannot read {elf}: {why}", hint="look at the name and at the rights of its folders")
    if not elf.is_file():
        raise InputError(f"there is no firmware image {elf}", hint="paths are relative to the current folder")
    if target.build is None:
        return interpreted.described(elf, project)
    try:
        return _measured(elf, project, target)
    except ToolError as error:
        raise InputError(error.message, hint="give the ELF file that the linker wrote") from error


def _measured(elf: Path, project: Project, target: Target) -> FirmwareImage:
    """The image, of which it is not known what built it."""
    chip = target.chip
    image = images.read(elf, chip.ram)
    over = [
        f"{name} takes {size:,} B of {limit:,} B"
        for name, size, limit in (
            ("flash", image.flash_bytes, chip.flash_bytes),
            ("RAM", image.ram_bytes, chip.ram_bytes),
        )
        if size > limit
    ]
    if over:
        raise ToolError(
            f"the image does not fit {target.name}: {', '.join(over)}", hint="use a smaller model or another target", kind=kinds.TOO_LARGE)
    return FirmwareImage(
        elf=elf,
        sha256=hashing.of_file(elf),
        project_sha256=project.sha256,
        model_sha256=project.model_sha256,
        engine=project.engine,
        flash_bytes=image.flash_bytes,
        ram_bytes=image.ram_bytes,
        sections={section.name: section.size for section in image.sections},
        tool_versions={},
    )

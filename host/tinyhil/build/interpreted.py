"""The image of a target that runs the model file itself: that file, and the description of the device beside it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import FirmwareImage, Project
from tinyhil.sim import facts

STAGE = "build"
_RUNS = "tflite-micro"


def build(project: Project, folder: Path) -> tuple[FirmwareImage, bool]:
    """Copies the device out of ``project`` into ``folder``, so that it stays what it was when the user edits there.

    Returns:
        The image, and whether it was found rather than copied.

    Raises:
        ConfigError: the project is not as it was rendered.
        StorageError: a folder cannot be written.
    """
    tools = {_RUNS: version(_RUNS)}
    stage = hashing.of_sources([Path(__file__).parent, Path(facts.__file__).parent])
    wanted = hashing.of_json({"stage": stage, "project": project.sha256, "tools": tools})
    found = store.load(folder, STAGE, wanted) is not None
    if not found:
        facts.load(project.folder)
        store.make_folder(folder)
        store.forget(folder)
        with store.storage(folder):
            for name in (facts.FACTS, facts.MODEL):
                shutil.copyfile(project.folder / name, folder / name)
        store.save(folder, STAGE, wanted, (facts.FACTS, facts.MODEL), {"tool_versions": tools})
    digests = {_RUNS: hashing.of_distribution(_RUNS)}
    return replace(described(folder / facts.FACTS, project), tool_versions=tools, tool_sha256=digests), found


def described(path: Path, project: Project) -> FirmwareImage:
    """The image whose description is ``path``, to be held against ``project``.

    Raises:
        ConfigError: it is no such description, or the model beside it is another one.
    """
    facts.load(path)
    return FirmwareImage(
        elf=path,
        sha256=hashing.of_file(path),
        project_sha256=project.sha256,
        model_sha256=project.model_sha256,
        engine=project.engine,
        flash_bytes=None,
        ram_bytes=None,
        sections={},
        tool_versions={},
    )

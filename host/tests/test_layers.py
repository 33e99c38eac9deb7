"""The layers of the package: who may import whom, and who may print or exit (docs/design.md, "Layers").

A module imports only from layers below its own; within a layer only inside its own package, which is its folder, or the
file itself where it stands alone. Imports inside functions and under TYPE_CHECKING count: knowing a type is knowing a
module. So does a string that names a module, which is how a child process is started.
"""

from __future__ import annotations

import ast
import re
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

LAYERS: dict[str, int] = {
    **dict.fromkeys(("errors", "artifacts", "affine", "deadline", "progress", "resources", "options"), 0),
    **dict.fromkeys(("kinds", "kind", "silence_kinds", "history_kinds", "templates", "plain_text"), 0),
    **dict.fromkeys(("config", "targets", "link", "compare", "data", "process", "worker", "tflite", "terminal"), 1),
    **dict.fromkeys(("transport", "device", "toolchain", "proxy", "sim", "chain"), 2),
    **dict.fromkeys(("train", "quantize", "preflight", "render", "build", "session", "verify", "report"), 3),
    **dict.fromkeys(("starter", "plots", "stream"), 3),
    "pipeline": 4,
    **dict.fromkeys(("experiments", "history"), 5),
    **dict.fromkeys(("matrix", "api"), 6),
    **dict.fromkeys(("cli", "pytest_plugin", "__main__", "monitor"), 7),
}
SAME_LAYER = {
    ("artifacts", "errors"),  # every package may raise
    ("resources", "errors"),
    ("templates", "resources"),  # which has the folders
    ("errors", "kinds"),  # every error has its row in the catalogue
    ("kinds", "kind"),
    ("kinds", "silence_kinds"),  # a part of the catalogue
    ("silence_kinds", "kind"),
    ("kinds", "history_kinds"),  # another one
    ("history_kinds", "kind"),
    ("artifacts", "affine"),  # artifacts carry tensor specs
    ("targets", "config"),  # both are TOML, read by the one loader
    ("config", "data"),  # the shipped recipes name their data
    ("proxy", "transport"),  # a proxy is a transport's user, and no stage
    ("stream", "session"),  # what a monitor records is a recording, and the recording of a run can be looked at
    ("worker", "process"),  # a worker is a child process with a conversation
    ("config", "worker"),  # a child tells its parent while it runs the code of a recipe
    ("cli", "monitor"),  # the command of its name starts it
    ("__main__", "cli"),  # python -m tinyhil is the command line by another name
}
"""Edges within a layer. Each needs its reason, and none may close a circle."""
ROOT = {"api", "errors", "options"}
"""What the package itself offers, imported when it is first used."""
TOP = 7
"""The layer that prints and exits."""

_MODULE_NAME = re.compile(r"tinyhil(\.[A-Za-z_]\w*)+")
_EXITS = {("sys", "exit"), ("os", "_exit"), ("os", "abort")}
_STREAMS = {("sys", "stdout"), ("sys", "stderr"), ("sys", "__stdout__"), ("sys", "__stderr__")}
_NAMES = {"print", "exit", "quit", "SystemExit"}


EXPERIMENTS = "experiments"
"""Its packages are one feature each, and know nothing of one another."""


def _package(path: Path, root: Path) -> str:
    return path.relative_to(root).parts[0].removesuffix(".py")


def _experiment(path: Path, root: Path) -> str | None:
    """The experiment that a file belongs to."""
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == EXPERIMENTS and len(parts) > 2 else None


class _Facts(NamedTuple):
    """What a file does: line and name of each."""

    imports: list[tuple[int, str]]
    speaks: list[tuple[int, str]]


@cache
def _facts(source: str, package: tuple[str, ...]) -> _Facts:
    """Reads a module that lies in ``package``; ``from tinyhil import x`` counts as ``tinyhil.x``, whatever x is."""
    facts = _Facts([], [])
    caught: set[ast.AST] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            caught |= set(ast.walk(node.type))  # to catch an exit is not to exit
        if isinstance(node, ast.Import):
            facts.imports.extend((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            facts.imports.extend((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            words = ((base, alias.name) for alias in node.names)
            facts.speaks.extend((node.lineno, ".".join(word)) for word in words if word in _EXITS | _STREAMS)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _MODULE_NAME.fullmatch(node.value):
            facts.imports.append((node.lineno, node.value))
        elif isinstance(node, ast.Name) and node.id in _NAMES and node not in caught:
            facts.speaks.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute) and (ast.unparse(node.value), node.attr) in _EXITS | _STREAMS:
            facts.speaks.append((node.lineno, ast.unparse(node)))
    return facts


def _of_file(path: Path, root: Path) -> _Facts:
    return _facts(path.read_text(encoding="utf-8"), ("tinyhil", *path.relative_to(root).parent.parts))


def _other_package(name: str, root: Path) -> str | None:
    """The package of ours that a dotted name lies in; None for the package itself and for what is not ours."""
    parts = name.split(".")
    return parts[1] if parts[0] == "tinyhil" and len(parts) > 1 and _exists(root, parts[1]) else None


def _exists(root: Path, name: str) -> bool:
    return (root / name).is_dir() or (root / f"{name}.py").is_file()


def _allowed(package: str, other: str) -> bool:
    return package == other or LAYERS[other] < LAYERS[package] or (package, other) in SAME_LAYER


def violations(root: Path) -> list[str]:
    """One line for each import and each spoken word that the layers forbid."""
    wrong = []
    for path in sorted(root.rglob("*.py")):
        where, package = path.relative_to(root).as_posix(), _package(path, root)
        if where == "__init__.py":
            package = "tinyhil"
        elif package not in LAYERS:
            wrong.append(f"{where}: {package} has no layer")
            continue
        facts = _of_file(path, root)
        for line, name in facts.imports:
            other = _other_package(name, root)
            if other is None:
                continue
            neighbour = other == EXPERIMENTS and _experiment(path, root) not in (None, name.split(".")[2])
            if package == "tinyhil" and other in ROOT:
                continue
            if package == "tinyhil" or other not in LAYERS or not _allowed(package, other) or neighbour:
                wrong.append(f"{where}:{line}: imports {name}")
        if LAYERS.get(package) != TOP:
            wrong += [f"{where}:{line}: uses {word}" for line, word in facts.speaks]
    return wrong


def test_the_layers_hold(package: Path) -> None:
    assert violations(package) == []


def test_every_package_of_the_table_is_there(package: Path) -> None:
    assert {name for name in LAYERS if not _exists(package, name)} == set()


def test_edges_within_a_layer_are_within_a_layer_and_in_use(package: Path) -> None:
    used = {
        (_package(path, package), _other_package(name, package))
        for path in package.rglob("*.py")
        for _, name in _of_file(path, package).imports
    }
    assert used >= SAME_LAYER
    assert all(LAYERS[one] == LAYERS[other] for one, other in SAME_LAYER)
    # No edge leads back: following them from any package never returns to it.
    for start in LAYERS:
        reached = {other for package, other in SAME_LAYER if package == start}
        while more := {other for package, other in SAME_LAYER if package in reached} - reached:
            reached |= more
        assert start not in reached


@pytest.fixture
def copy(package: Path, tmp_path: Path) -> Path:
    """A copy of the package, to plant something in."""
    return shutil.copytree(package, tmp_path / "tinyhil", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        # upwards
        ("errors.py", "import tinyhil.progress"),  # also a layer's own neighbour
        ("affine.py", "from tinyhil.config import toml"),
        ("artifacts/store.py", "from tinyhil.cli.console import show_error"),
        ("link/frames.py", "from tinyhil.session import capture"),
        ("transport/base.py", "import tinyhil.render.stage"),
        ("verify/stage.py", "from tinyhil import pipeline"),
        ("pipeline/run.py", "from tinyhil import cli"),
        ("pipeline/run.py", "from tinyhil.experiments.bisect import Bisect"),
        ("session/capture.py", "from tinyhil.pipeline.run import Run"),
        ("options.py", "from tinyhil.config import recipe"),
        ("experiments/search/search.py", "from tinyhil.experiments.bisect import Bisect"),
        ("compare/regression.py", "from ..verify import stage"),
        ("compare/regression.py", "from .. import verify"),
        # the same, hidden
        ("config/toml.py", "def late():\n    from tinyhil.train import fit"),
        ("config/toml.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tinyhil.train import fit"),
        ("process.py", 'CHILD = "tinyhil.train.child"'),
        # sideways
        ("train/stage.py", "from tinyhil.quantize import vectors"),
        ("render/stage.py", "from tinyhil.report import files"),
        ("transport/base.py", "from tinyhil.device import base"),
        ("config/recipe.py", "from tinyhil.targets import registry"),
        ("compare/fidelity.py", "from tinyhil.link import frames"),
        ("tflite/reader.py", "from tinyhil.targets import model"),
        ("affine.py", "from tinyhil import errors"),
        ("cli/app.py", "import tinyhil.pytest_plugin"),
        # the root, which everybody may import, imports only what it offers
        ("__init__.py", "from tinyhil.pipeline.run import Run"),
        ("__init__.py", "def late():\n    from tinyhil.cli import console"),
    ],
)
def test_a_planted_import_is_found(copy: Path, file: str, line: str) -> None:
    _plant(copy / file, line)
    found = violations(copy)
    assert len(found) == 1, found
    assert found[0].startswith(f"{file}:")
    assert "imports tinyhil" in found[0]


@pytest.mark.parametrize(
    "line",
    [
        "print('hello')",
        "show = print",
        "import sys; sys.exit(1)",
        "from sys import exit as leave",
        "import os; os._exit(0)",
        "raise SystemExit(2)",
        "raise SystemExit",
        "import sys; sys.stderr.write('hello')",
        "def late():\n    quit()",
    ],
)
def test_only_the_top_layer_prints_or_exits(copy: Path, line: str) -> None:
    _plant(copy / "report/terminal.py", line)
    found = violations(copy)
    assert len(found) == 1, found
    assert found[0].startswith("report/terminal.py:")
    assert "uses" in found[0]

    shutil.copy(copy / "report/terminal.py", copy / "cli/planted.py")
    assert violations(copy) == found


def test_a_new_package_needs_a_layer(copy: Path) -> None:
    (copy / "extra").mkdir()
    (copy / "extra" / "new.py").write_text("")
    (copy / "single.py").write_text("")
    assert violations(copy) == ["extra/new.py: extra has no layer", "single.py: single has no layer"]


def _plant(path: Path, line: str) -> None:
    """Appends: a module's __future__ import has to stay first."""
    assert path.is_file()
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


def _edges(package: Path) -> dict[str, set[str]]:
    """Which modules each module imports while it is itself imported: not in functions, not for type checkers only."""
    modules = {
        ".".join(["tinyhil", *path.relative_to(package).with_suffix("").parts]).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        found = edges.setdefault(name, set())
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                found |= {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
                if {f"{node.module}.{alias.name}" for alias in node.names} - modules.keys():
                    found |= {node.module} & modules.keys()
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names} & modules.keys()
    return edges


def test_no_modules_import_one_another_in_a_circle(package: Path) -> None:
    edges = _edges(package)
    assert edges["tinyhil.pipeline.run"] >= {"tinyhil.pipeline.layout", "tinyhil.preflight"}
    while ends := {name for name, others in edges.items() if not others & edges.keys()}:
        edges = {name: others for name, others in edges.items() if name not in ends}
    assert edges == {}


def test_no_class_is_derived_from_run(package: Path) -> None:
    """A run is composed; see docs/design.md."""
    classes = {
        (path.relative_to(package).as_posix(), node.name): [ast.unparse(base).rpartition(".")[2] for base in node.bases]
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert ("pipeline/run.py", "Run") in classes
    assert [name for name, bases in classes.items() if "Run" in bases] == []

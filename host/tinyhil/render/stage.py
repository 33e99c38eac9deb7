"""The stage: lays out a PlatformIO project that opens and builds without tinyhil.

A target that compiles nothing gets the model file and its description instead (interpreted.py); a user who has a sketch
already gets the same files as a library (library.py).

::

    platformio.ini, include/, lib/model/   rendered: what varies by model or target
    emulator/                              rendered, for targets whose emulator takes something from the project
    src/, lib/tinyhil_*/                   copied from firmware/: only the engine and the port that the target uses
    platforms/tinyhil/                     copied from firmware/platform, for targets that build with it

The same input gives the same bytes. All files are put together in memory first, hashed, and only then written; files
whose content has not changed are left alone, so that PlatformIO's incremental build works, and files that no longer
belong are removed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

import tinyhil
from tinyhil import kinds, resources, templates
from tinyhil.affine import DType
from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.types import Project, QuantizedModel
from tinyhil.config.recipe import Demo
from tinyhil.errors import ConfigError
from tinyhil.render import arena, compiled, interpreted, library, tflm
from tinyhil.targets.model import Build, Engine, Target

PLATFORMS = "platforms"
_ENGINES = {"compiled": compiled, "tflm": tflm}
"""What makes the model library of each engine."""
_OWN = "engines"
"""The folder of the templates that only one engine has, by its name."""
_FRAMEWORK = "frameworks"
"""The folder of the templates that only one framework has, by its name."""
_EMULATOR = "emulator"
"""Folder of the templates that only some emulators need, and of what is rendered from them."""
_SOME = (f"{_OWN}/", f"{_FRAMEWORK}/", f"{_EMULATOR}/")
"""Folders of templates that not every project has."""
_LIBRARIES = ("link", "engine", "server", "port")
_ENTRIES = {"": "main.cpp", "arduino": "sketch.cpp", "espidf": "idf.cpp"}
"""Where a program begins, by its framework."""
_KEEP = (".pio", ".vscode", ".git")
"""Folders of the user's and PlatformIO's own, never touched."""
_NAME_BYTES = 63
"""Of a tensor's name on the link (docs/protocol.md, TENSOR)."""
_ZERO = "0" * 64
PROJECT = "project"
LIBRARY = "library"
FORMS = (PROJECT, LIBRARY)
"""What a model can be rendered as."""
GENERATED = "generated"
"""Beside the project: what the engine's compiler has made of the model."""


def render(
    model: QuantizedModel,
    target: Target,
    engine_name: str,
    folder: Path,
    demo: Demo | None = None,
    arena_bytes: int | None = None,
    form: str = PROJECT,
) -> tuple[Project, bool]:
    """Renders ``model`` for ``target`` into ``folder``.

    Args:
        demo: what the firmware does without a host; nothing by default.
        arena_bytes: of the engine's working memory; by default what was measured for this model, or an estimate.
        form: a project, or a library for one of the user's own, which shows no demo; of no meaning where nothing is
            compiled.

    Returns:
        The project, and whether it was there already.

    Raises:
        ConfigError: the target has no such engine, cannot spare the arena that was measured, or names a port or a
            template that does not exist; or the model cannot be shown in a demo.
        ModelError: the engine cannot compute the model.
        StorageError: the folder cannot be written.
    """
    engine = target.engines.get(engine_name)
    if engine is None:
        raise ConfigError(
            f"target {target.name} has no engine {engine_name!r}",
            hint=f"it has {', '.join(target.engines)}",
            kind=kinds.UNKNOWN_NAME,
        )
    if demo is not None:
        _require_one_number(model)
    if target.build is None:
        files, identity = interpreted.lay_out(model, target, demo)
        return _project(model, target, engine_name, interpreted.describe(), folder, files, identity)
    _require_ports(target.name, target.build)
    maker = _ENGINES.get(engine_name)
    if maker is None:
        raise ConfigError(
            f"target {target.name} names the engine {engine_name!r}, which tinyhil does not know",
            hint="correct the name in the target's file; CONTRIBUTING.md says how an engine is added",
        )
    measured = arena_bytes or arena.found(folder.parent, model.sha256)
    generated = _generated(maker, model, engine, folder.parent / GENERATED)
    files = {f"lib/model/{path}": data for path, data in generated.items()}
    files |= _copied(target.build, engine_name, demo, form)
    rates = target.link.flags if target.build.framework or target.link.max_baud else ()
    flags = [*rates, *target.build.flags, *engine.flags]
    context = {
        "version": tinyhil.__version__,
        "recipe": model.recipe,
        "target": target,
        "engine": engine_name,
        "inputs": model.inputs,
        "outputs": model.outputs,
        "model_sha256": model.sha256,
        "model_flags": maker.flags(generated),
        "demo": demo,
        "engine_facts": engine,
        "form": form,
        "build_flags": library.other_flags(flags) if form == LIBRARY else flags,
        "macros": library.macros(flags),
        "local_platform": target.build.local,
        "platforms": PLATFORMS,
        **maker.context(model, engine, target.chip, measured),
    }

    def laid_out(identity: str) -> dict[str, bytes]:
        whole = files | _rendered({**context, "project_sha256": identity})
        return library.lay_out(whole, context) if form == LIBRARY else whole

    identity = hashing.of_tree(laid_out(_ZERO))
    files = laid_out(identity)
    return _project(model, target, engine_name, maker.describe(engine), folder, files, identity)


def _generated(maker: Any, model: QuantizedModel, engine: Engine, folder: Path) -> dict[str, bytes]:
    """What the engine's compiler makes of the model, kept in ``folder`` for as long as that would be the same."""
    key = hashing.of_json(
        {
            "stage": hashing.of_sources([Path(__file__).parent]),
            "maker": maker.sources(),
            # Not the name of the model: a copy with a fault in it goes by that of the true one.
            "model": hashing.of_file(model.path),
            "engine": msgspec.to_builtins(engine),
            "compiler": maker.describe(engine),
        }
    )
    manifest = store.load(folder, GENERATED, key)
    if manifest is not None:
        return {name: (folder / name).read_bytes() for name in manifest.files}
    made: dict[str, bytes] = maker.generate(model, engine)
    store.forget(folder)
    _synchronize(folder, made)
    store.save(folder, GENERATED, key, tuple(made), {})
    return made


def _project(
    model: QuantizedModel,
    target: Target,
    engine_name: str,
    kernels: str,
    folder: Path,
    files: dict[str, bytes],
    identity: str,
) -> tuple[Project, bool]:
    """Writes the files, and says what they are."""
    unchanged = _synchronize(folder, files)
    project = Project(
        folder=folder,
        environment=target.name,
        sha256=identity,
        model_sha256=model.sha256,
        engine=engine_name,
        kernels=kernels,
    )
    return project, unchanged


def _require_one_number(model: QuantizedModel) -> None:
    tensors = (*model.inputs, *model.outputs)
    if len(tensors) != 2 or any(spec.elements != 1 or spec.dtype is not DType.INT8 for spec in tensors):
        raise ConfigError(
            f"recipe {model.recipe} has a [demo], which takes a model with one int8 number in and one out",
            hint="leave out [demo]",
        )


def _require_ports(target: str, build: Build) -> None:
    for port in build.ports:
        if not (resources.folder("firmware") / "lib" / "port" / port).is_dir():
            raise ConfigError(
                f"target {target} names the port {port!r}, and firmware/lib/port has none of that name",
                hint="correct the name in the target's file; CONTRIBUTING.md says how a chip family is added",
            )


def _copied(build: Build, engine_name: str, demo: Demo | None, form: str) -> dict[str, bytes]:
    """The device's sources, without the engines and ports of other targets."""
    firmware = resources.folder("firmware")
    variants = {"engine": (engine_name,), "port": build.ports}
    # The user's own sketch is where the program begins, if there is one.
    left_out = set(_ENTRIES.values()) - ({_ENTRIES[build.framework]} if form == PROJECT else set())
    sources = resources.read_tree(firmware / "src").items()
    files = {f"src/{path}": data for path, data in sources if path not in left_out}
    more = [library.SKETCH] if form == LIBRARY else ["demo"] if demo is not None else []
    for name in (*_LIBRARIES, *more):
        for path, data in resources.read_tree(firmware / "lib" / name).items():
            top, slash, _ = path.partition("/")
            if slash and top not in variants.get(name, ()):
                continue
            files[f"lib/tinyhil_{name}/{path}"] = data
    if build.local:
        files |= {
            f"{PLATFORMS}/tinyhil/{path}": data for path, data in resources.read_tree(firmware / "platform").items()
        }
    return files


def _rendered(context: dict[str, Any]) -> dict[str, bytes]:
    """Every template, rendered; of those of engines and emulators only what the target names."""
    environment = templates.environment("project", keep_trailing_newline=True, autoescape=False)
    environment.filters |= {
        "hex_bytes": _hex_bytes,
        "c_string": _c_string,
        "c_name": _c_name,
        "c_float": _c_float,
        "c_dtype": _c_dtype,
    }
    target = context["target"]
    chosen = ((_OWN, context["engine"]), (_FRAMEWORK, target.build.framework))
    own = tuple(f"{folder}/{name}/" for folder, name in chosen if name)
    emulator = target.emulator
    wanted = {f"{_EMULATOR}/{name}.j2" for name in emulator.templates} if emulator is not None else set()
    known = {name for name in environment.list_templates() if name.endswith(".j2")}
    if unknown := wanted - known:
        raise ConfigError(
            f"there is no template {', '.join(sorted(unknown))} for the emulator of the target",
            hint="correct the names in the target's file",
        )
    names = sorted(name for name in known if name in wanted or name.startswith(own) or not name.startswith(_SOME))
    return {
        _without(own, name).removesuffix(".j2"): environment.get_template(name).render(context).encode()
        for name in names
    }


def _without(prefixes: Iterable[str], name: str) -> str:
    """A template's name in the project: without the folder by which it was chosen."""
    for prefix in prefixes:
        name = name.removeprefix(prefix)
    return name


def _hex_bytes(digest: str) -> str:
    return ", ".join(f"0x{value:02x}" for value in bytes.fromhex(digest))


def _c_string(text: str) -> str:
    """A C string literal.

    What is not printable ASCII becomes octal escapes, which, unlike hexadecimal ones, end after three digits.
    """
    body = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{body}"'


def _c_name(text: str) -> str:
    """A tensor's name as far as the link carries it, never half a character."""
    return _c_string(text.encode()[:_NAME_BYTES].decode(errors="ignore"))


def _c_float(value: float) -> str:
    """A float literal that reads back as exactly the same float32: nine significant digits are enough (IEEE 754)."""
    if not math.isfinite(value):
        raise ValueError(f"a scale is {value}")
    return f"{value:.9e}f"


def _c_dtype(dtype: DType) -> str:
    return f"k{dtype.name.capitalize()}"


def _synchronize(folder: Path, files: dict[str, bytes]) -> bool:
    """Makes ``folder`` hold exactly ``files``; returns whether it did already."""
    store.make_folder(folder)
    unchanged = True
    with store.storage(folder):
        for path in _present(folder):
            if path.relative_to(folder).as_posix() not in files:
                unchanged = False
                path.unlink()
                _remove_empty(path.parent, folder)
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            unchanged = False
            store.write_bytes(path, data)
    return unchanged


def _remove_empty(folder: Path, top: Path) -> None:
    """Removes folders that hold nothing any more, from ``folder`` upwards to below ``top``."""
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _present(folder: Path) -> Iterable[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in _KEEP and "__pycache__" not in path.parts
    ]

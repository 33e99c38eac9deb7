"""What a file is that is no model of ours, by what is in it, and the way from there to one that is.

People have the file that a notebook, a repository, a download or another tool gave them. Each kind is named for what it
is; nothing of it is opened but its first bytes.
"""

from __future__ import annotations

import io
import re
import shlex
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyhil import kinds, tflite
from tinyhil.artifacts import foreign
from tinyhil.errors import ConfigError, ModelError

LOOKED_AT = 1 << 16
"""Bytes of a file that are looked at."""
_EXPORT_ONNX = "convert it to a .tflite file, with onnx2tf for example (onnx2tf -i {name} -oiqt), and give that"
_EXPORT_TORCH = (
    "export the model where its code is: ai_edge_torch.convert(model, sample).export('model.tflite') makes the .tflite "
    "file to give"
)
_EXPORT_TF = (
    "where you trust it, convert it with TensorFlow: tf.lite.TFLiteConverter makes a .tflite file of it, and give that"
)
_SAMPLES = "samples go with a model: tinyhil run MODEL --samples {name}"
_AS_TEXT = "copied as text, which has changed its ends of lines, as Git does where it takes a file for text"
_AGAIN = "write '*{ending} binary' into .gitattributes, and check the file out or copy it again"
_UNPACK = "unpack it, and give the .tflite or .keras file that is in it"
_RENAME = "give it the ending {ending}: cp {name} {stem}{ending}"
_ARRAY = re.compile(rb"0x[0-9a-fA-F]{1,2}\s*,\s*(?:0x[0-9a-fA-F]{1,2}\s*,\s*){3}")
_FROM_ARRAY = (
    'write its bytes to a .tflite file: python3 -c "import re; text = open({quoted}).read(); '
    "open('model.tflite', 'wb').write(bytes(int(b, 16) for b in "
    "re.findall('0x([0-9a-fA-F]{{1,2}})[^0-9a-fA-F]', text)))\""
)


@dataclass(frozen=True)
class Other:
    """A kind of file.

    Attributes:
        what: it is, with its article.
        hint: the next step; ``{name}`` is the path, ``{stem}`` the same without its ending.
        ending: that it should have.
    """

    what: str
    hint: str
    ending: str = ""


_KERAS = Other("a Keras model with another ending", _RENAME, ".keras")
_H5 = Other("an HDF5 file, as Keras 2 saves its models, with another ending", _RENAME, ".h5")
_TFLITE = Other("a TensorFlow Lite model with another ending", _RENAME, ".tflite")
_ZIP = Other("a zip archive", _UNPACK)
_PICKLE = Other(
    "a Python pickle, which is a program and is not run", "save the model as .keras or .tflite where its code is"
)
_PYTORCH = Other("a PyTorch file", _EXPORT_TORCH)
_CHECKPOINT = Other(
    "a checkpoint of TensorFlow: weights without a model",
    "build the model where its code is, load the checkpoint, and model.save('model.keras')",
)
_BEGINNINGS: tuple[tuple[bytes, Other], ...] = (
    *((start, Other(what, hint)) for start, what, hint in foreign.NOT_FETCHED),
    (b"\x89HDF\n", Other(_AS_TEXT, _AGAIN)),
    (b"\x89HDF\r\r", Other(_AS_TEXT, _AGAIN)),
    (b"\x89HDF\r\n\x1a\n", _H5),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", _PYTORCH),
    (b"GGUF", Other("a GGUF file, a language model", "give a model that a microcontroller holds, as .tflite")),
    (b"\x1f\x8b", Other("compressed with gzip", "unpack it: gunzip or tar xf, and give the model that is in it")),
    (b"BZh", Other("compressed with bzip2", "unpack it: bunzip2, and give the model that is in it")),
    (b"\xfd7zXZ", Other("compressed with xz", "unpack it: unxz, and give the model that is in it")),
    (b"\x28\xb5\x2f\xfd", Other("compressed with zstd", "unpack it: unzstd, and give the model that is in it")),
    (b"7z\xbc\xaf\x27\x1c", Other("a 7z archive", _UNPACK)),
    (b"Rar!", Other("a RAR archive", _UNPACK)),
    (b"\x7fELF", Other("firmware or a program (ELF)", "name the model, and the firmware with --firmware {name}")),
    (b"\x93NUMPY", Other("an array of NumPy", _SAMPLES)),
    (b"\x89PNG", Other("an image", _SAMPLES.replace("{name}", "FOLDER_OF_IMAGES"))),
    (b"\xff\xd8\xff", Other("an image", _SAMPLES.replace("{name}", "FOLDER_OF_IMAGES"))),
    (b"%PDF", Other("a PDF document", "give the model that it is about")),
    (b"HAAAAFRGTDM", Other("a TensorFlow Lite model in base64", "decode it: base64 -d {name} > model.tflite")),
    (b"IAAAAFRGTDM", Other("a TensorFlow Lite model in base64", "decode it: base64 -d {name} > model.tflite")),
    (
        b"\xff\xfe",
        Other("text in UTF-16, as PowerShell writes what is redirected to a file", "copy the file without a shell's >"),
    ),
)
_ENDINGS: dict[str, Other] = {
    ".onnx": Other("an ONNX model", _EXPORT_ONNX),
    ".pt": _PYTORCH,
    ".pth": _PYTORCH,
    ".pb": Other("a frozen graph of TensorFlow", _EXPORT_TF),
    ".ckpt": _CHECKPOINT,
    ".index": _CHECKPOINT,
    ".mlmodel": Other("a Core ML model", "convert the model that it was made from to .tflite, and give that"),
    ".csv": Other("a table of samples", _SAMPLES),
    ".npz": Other("a file of samples", _SAMPLES),
    ".py": Other(
        "a Python file", "a recipe is named, not its file: put NAME.toml and NAME.py into ./recipes, tinyhil run NAME"
    ),
    ".ipynb": Other("a notebook", "save its model: model.save('model.keras'), and give that"),
    ".toml": Other(
        "a TOML file", "a recipe is named, not its file: put it into ./recipes with its code, tinyhil run {stem}"
    ),
}


def recognised(path: Path, head: bytes) -> Other | None:
    """What a file is that is not what its ending says, or has none that is known; None where nothing is known of it.

    Args:
        head: its first bytes, ``LOOKED_AT`` of them.
    """
    if not head:
        return Other("empty", "copy or export it again")
    if head[4:8] == tflite.IDENTIFIER:
        return _TFLITE
    found = next((other for start, other in _BEGINNINGS if head.startswith(start)), None)
    if found is None:
        found = next((made for each in _BY_CONTENT if (made := each(path, head)) is not None), None)
    return found or _ENDINGS.get(path.suffix.lower())


def refusal(path: Path, head: bytes) -> ConfigError | ModelError | None:
    """The error for a file that is not what its ending says; None where it is, or nothing is known of it."""
    found = recognised(path, head)
    if found is None or (found.ending and path.suffix.lower() in _SAME.get(found.ending, ())):
        return None
    where = shlex.quote(str(path))
    hint = found.hint.format(
        name=where,
        stem=shlex.quote(str(path.with_suffix(""))),
        ending=found.ending or path.suffix,
        quoted=repr(str(path)),
    )
    return ModelError(f"{path} is {found.what}", hint=hint, kind=kinds.OTHER_FILE)


_SAME = {".keras": (".keras",), ".h5": (".h5", ".hdf5"), ".tflite": (".tflite",)}


def line_ends(content: bytes, name: str) -> ModelError | None:
    """The error for a model file that was copied as text, which has changed its bytes; None for any other."""
    if b"\r\n" in content and _lone(content) == 0 and _whole(content.replace(b"\r\n", b"\n"), name):
        hint = _AGAIN.format(ending=Path(name).suffix)
        return ModelError(f"{name} is {_AS_TEXT}", hint=hint, kind=kinds.DAMAGED_MODEL)
    if content.count(b"\xef\xbf\xbd") > len(content) // 100 + 2:
        return ModelError(
            f"{name} was copied as text in UTF-8: what is no text in it has become U+FFFD, and is lost",
            hint="copy it again, as bytes: in Python with read_bytes and write_bytes",
            kind=kinds.DAMAGED_MODEL,
        )
    return None


def _whole(content: bytes, name: str) -> bool:
    """Whether the content is a model without damage."""
    try:
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.testzip() is None
        tflite.parse(content, name)
    except Exception:  # whatever a damaged archive raises
        return False
    return True


def _lone(content: bytes) -> int:
    """How many ends of line have no carriage return before them."""
    return content.count(b"\n") - content.count(b"\r\n")


def _archive(path: Path, head: bytes) -> Other | None:
    if not head.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        # A cut one is told as such by who reads what its ending says.
        return None if path.suffix.lower() in (".keras", ".npz") else _ZIP
    if "config.json" in names and "metadata.json" in names:
        return _KERAS
    if any(name.endswith("data.pkl") for name in names):
        return _PYTORCH
    if names and all(name.endswith(".npy") for name in names):
        return Other("a file of samples (.npz)", _SAMPLES)
    inside = [name for name in names if name.lower().endswith((".tflite", ".keras", ".h5"))]
    if path.suffix.lower() == ".keras" and not inside:
        return None  # one that lacks something
    listed = f", with {', '.join(inside[:3])}" if inside else ""
    return Other(f"a zip archive{listed}", f"unpack it: unzip {{name}}, and give {inside[0] if inside else 'a model'}")


def _text(path: Path, head: bytes) -> Other | None:
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if b"<html" in begin or begin.startswith((b"<head", b"<!-- ")):
        return Other(*foreign.WEB_PAGE)
    if begin.startswith((b"<?xml", b"<net ")):
        return Other("an XML file", "give a .tflite or .keras file")
    if _ARRAY.search(head) is not None:
        return Other("a model as a C array", _FROM_ARRAY)
    if begin.startswith(b"{"):
        return _json(head)
    return None


def _json(head: bytes) -> Other:
    if b'"modelTopology"' in head:
        return Other(
            "a model of TensorFlow.js",
            "convert it: tensorflowjs_converter --input_format tfjs_layers_model "
            "--output_format keras_keras {name} model.keras",
        )
    if b'"verdict"' in head:
        return Other("a report", "name the model that it is of")
    if b'"class_name"' in head:
        return Other(
            "the configuration of a Keras model, without its weights", "save it whole: model.save('model.keras')"
        )
    return Other("a JSON file", "give a .tflite or .keras file")


def _pickle(path: Path, head: bytes) -> Other | None:
    return _PICKLE if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" else None


def _onnx(path: Path, head: bytes) -> Other | None:
    """A protobuf: field 1 is the version of the format, field 2 the name of who wrote it."""
    written = head[:1] == b"\x08" and head[1:2] < b"\x20" and head[2:3] in (b"\x12", b"\x3a", b"\x42")
    return _ENDINGS[".onnx"] if written else None


def _safetensors(path: Path, head: bytes) -> Other | None:
    if head[8:10] != b'{"' or int.from_bytes(head[:8], "little") > 1 << 27:
        return None
    return Other("a file of weights (safetensors), without the model", "export the model where its code is, to .tflite")


def _recording(path: Path, head: bytes) -> Other | None:
    recorded = head[4:5] == b"\x10" and head[5:6] == b"{"
    return Other("a recording of a run", "judge it again: tinyhil replay {name}") if recorded else None


def _tar(path: Path, head: bytes) -> Other | None:
    return Other("a tar archive", _UNPACK) if head[257:262] == tarfile.GNU_MAGIC[:5] else None


_BY_CONTENT: tuple[Callable[[Path, bytes], Other | None], ...] = (
    *(_archive, _recording, _safetensors, _tar),
    *(_text, _pickle, _onnx),
)


def near(path: Path) -> Iterator[str]:
    """Models beside a path that leads nowhere, whose names begin as its does."""
    try:
        beside = sorted(path.parent.iterdir())
    except (OSError, ValueError):
        return
    for each in beside:
        if each.suffix.lower() in (".tflite", ".keras", ".h5", ".hdf5") and each.stem.lower() == path.stem.lower():
            yield str(each)

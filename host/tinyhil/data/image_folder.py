"""A folder of images by class: each folder in it is a class, and its name the class's name.

Images are read by Pillow, which comes with Matplotlib. Names that are numbers are the classes' numbers; others are
numbered in their order. A folder with images and no folders has inputs without classes. Nothing is resized: there are
many ways to do it, and a model is judged by the one that it was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyhil import kinds
from tinyhil.artifacts import foreign
from tinyhil.errors import InputError, MissingToolError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm")
_FORMATS = ("BMP", "JPEG", "PNG", "PPM")
"""Pillow's names of these: no others are tried."""
MAX_PIXELS = 1 << 28
"""Of all images of a folder together: 256 million, 768 MB in colours."""
_MODES = {1: "L", 3: "RGB"}
"""Pillow's names by the number of channels."""


@dataclass(frozen=True)
class ImageFolder:
    """What is in a folder.

    Attributes:
        images: (samples, height, width) of grey ones, (samples, height, width, 3) of colours, uint8.
        labels: (samples,), the class of each; None where there are no folders.
        classes: their names; none where these are numbers.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32] | None
    classes: tuple[str, ...]


def files(path: Path) -> list[Path]:
    """The images in a folder and in its folders, class by class, in the order of their names."""
    direct = _images_in(path)
    return direct + [file for folder in _folders(path) for file in _images_in(folder)]


def classes(path: Path) -> tuple[str, ...]:
    """The names of the classes of a folder; none where these are numbers, or there are no folders."""
    names = tuple(folder.name for folder in _folders(path))
    return () if _numbered(names) else names


def read(path: Path, channels: int | None = None) -> ImageFolder:
    """Reads all images.

    Args:
        channels: 1 for grey, 3 for colours; None for what the first image has.

    Raises:
        InputError: there are none, one cannot be read, or they differ in size.
        MissingToolError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"Pillow is not installed, it is needed to read the images in {path}", hint="pip install pillow"
        ) from error
    named = files(path)
    if not named:
        raise InputError(
            f"{path} has no images ({', '.join(SUFFIXES)}), nor have its folders",
            hint="put the images of each class in a folder of its own, or give an .npz, .npy or .csv file",
            kind=kinds.SAMPLES,
        )
    made: list[npt.NDArray[np.uint8]] = []
    for file in named:
        with foreign.reading(file, "an image", _refusal), Image.open(file, formats=_FORMATS) as image:
            pixels = image.width * image.height
            if pixels * len(named) > MAX_PIXELS:
                raise InputError(
                    f"{file} has {image.width} x {image.height} pixels, and there are {len(named)} images: "
                    f"more than {MAX_PIXELS:,} pixels",
                    hint="bring the images to the size that the model takes",
                    kind=kinds.SAMPLES,
                )
            if channels is None:
                channels = 1 if image.mode in ("1", "L") else 3
            made.append(np.asarray(image.convert(_MODES[channels]), np.uint8))
        if made[-1].shape != made[0].shape:
            raise InputError(
                f"{file} is {_size(made[-1])}, and {named[0]} is {_size(made[0])}",
                hint="bring all images to the size that the model takes",
                kind=kinds.SAMPLES,
            )
    folders = _folders(path)
    if not folders:
        return ImageFolder(np.stack(made), None, ())
    names = [folder.name for folder in folders]
    numbers = [int(name) for name in names] if _numbered(names) else list(range(len(names)))
    known = dict(zip(names, numbers, strict=True))
    if any(file.parent == path for file in named):
        raise InputError(
            f"{path} has both images and folders of images", hint="put each image in a folder", kind=kinds.SAMPLES
        )
    return ImageFolder(np.stack(made), np.array([known[file.parent.name] for file in named], np.int32), classes(path))


def _refusal(message: str) -> InputError:
    return InputError(message, hint="remove the image, or save it again", kind=kinds.SAMPLES)


def _folders(path: Path) -> list[Path]:
    return [folder for folder in _entries(path) if folder.is_dir() and _images_in(folder)]


def _entries(folder: Path) -> list[Path]:
    def refuse(message: str) -> InputError:
        return InputError(message, hint="look at the rights of the folder", kind=kinds.SAMPLES)

    with foreign.reading(folder, "a folder", refuse):
        return sorted(folder.iterdir())


def _images_in(folder: Path) -> list[Path]:
    return [file for file in _entries(folder) if file.suffix.lower() in SUFFIXES and file.is_file()]


def _numbered(names: tuple[str, ...] | list[str]) -> bool:
    return all(name.isascii() and name.isdigit() and len(name) < 6 for name in names)


def _size(image: npt.NDArray[np.uint8]) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"

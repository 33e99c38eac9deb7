"""Samples in every form, written here by other means than they are read by."""

from __future__ import annotations

import csv
import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinyhil.data import samples_file
from tinyhil.errors import InputError

X = np.random.default_rng(3).uniform(-5, 5, (6, 4))


def test_an_npy_file_is_x(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", X)
    found = samples_file.read(tmp_path / "s.npy")
    np.testing.assert_array_equal(found.arrays["x"], X)
    assert list(found.arrays) == ["x"]


@pytest.mark.parametrize("suffix", ["NPZ", "Npy", "CSV"])
def test_a_suffix_is_read_in_any_case(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"s.{suffix}"
    with path.open("wb") as stream:
        if suffix == "NPZ":
            np.savez(stream, x=X)
        elif suffix == "Npy":
            np.save(stream, X)
        else:
            np.savetxt(stream, X, "%.17g", ",")
    np.testing.assert_array_equal(samples_file.read(path).arrays["x"], X)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("target", ["y", "Label", "class", "target"])
def test_a_table_with_a_column_of_targets(tmp_path: Path, separator: str, target: str) -> None:
    y = [2, 0, 1, 1, 0, 2]
    with (tmp_path / "s.csv").open("w", newline="") as stream:
        table = csv.writer(stream, delimiter=separator)
        table.writerow(["a", target, "b", "c", "d"])
        table.writerows([x[0], label, *x[1:]] for x, label in zip(X.tolist(), y, strict=True))
    found = samples_file.read(tmp_path / "s.csv")
    np.testing.assert_array_equal(found.arrays["x"], X)
    assert found.arrays["y"].tolist() == y
    assert found.arrays["y"].dtype == np.int32
    assert found.flat


def test_targets_that_are_words_are_classes(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a,label\n1.0,dog\n2.0,cat\n3.0,dog\n")
    found = samples_file.read(tmp_path / "s.csv")
    assert found.classes == samples_file.class_names(tmp_path / "s.csv") == ("cat", "dog")
    assert found.arrays["y"].tolist() == [1, 0, 1]


def test_targets_that_are_reals_stay_so(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("a,y\n1,0.5\n2,1\n")
    assert samples_file.read(tmp_path / "s.csv").arrays["y"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3\n", "sample 2 has 1 values"),
        ("a,b\n1,2\n3,red\n", "sample 2 has 'red' in column b"),
        ("1,2\n3,red\n", "sample 2 has 'red' in column 2"),
        ("a,y,label\n1,2,3\n", "2 columns of targets: y, label"),
        ("a,y\n1,2\n3,\n", "sample 2 has no target in column y"),
        ('a\n"1\n2\n', "cannot be read as CSV: unexpected end of data"),
        ("a\n1_000\n", "sample 1 has '1_000' in column a"),
        ("a\n\u0661\n", "sample 1 has '\u0661' in column a"),
        ("a\n1\x0c2\n", r"sample 1 has '1\\x0c2' in column a"),
        ("a\n1\u20282\n", r"sample 1 has '1\\u20282' in column a"),
        ("a,b\n", "has no samples"),
        ("", "has no samples"),
    ],
)
def test_a_table_that_is_none_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.csv").write_text(text, "utf-8")
    with pytest.raises(InputError, match=words):
        samples_file.read(tmp_path / "s.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("begin", ["", "\N{BYTE ORDER MARK}", "\N{BYTE ORDER MARK}a;b\n"])
def test_a_table_of_any_program_is_read(tmp_path: Path, begin: str, end: str) -> None:
    text = f"{begin}1;-.5\n+2E1; 3. \n\n".replace("\n", end)
    (tmp_path / "s.csv").write_bytes(text.encode())
    assert samples_file.read(tmp_path / "s.csv").arrays["x"].tolist() == [[1, -0.5], [20, 3]]


@given(st.binary(max_size=200))
def test_no_table_makes_anything_but_an_error_or_numbers(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(data)
    try:
        found = samples_file.read(path)
    except InputError:
        return
    assert found.arrays["x"].ndim == 2


def folder(tmp_path: Path, names: tuple[str, ...], mode: str = "RGB", size: tuple[int, int] = (5, 4)) -> Path:
    """Two images in each folder, every one of a colour of its own."""
    root = tmp_path / "images"
    for number, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for index in range(2):
            colour = (40 * number + index, 7, 9) if mode == "RGB" else 40 * number + index
            Image.new(mode, size, colour).save(root / name / f"{index}.{'png' if index else 'BMP'}")
    (root / "readme.txt").write_text("no image")
    return root


def test_a_folder_of_images_by_class(tmp_path: Path) -> None:
    found = samples_file.read(folder(tmp_path, ("b", "a", "c")))
    assert found.classes == ("a", "b", "c")
    assert found.pixels
    x, y = found.arrays["x"], found.arrays["y"]
    assert x.shape == (6, 4, 5, 3)
    assert x.dtype == np.uint8
    assert y.tolist() == [0, 0, 1, 1, 2, 2]
    assert x[:, 0, 0, 0].tolist() == [40, 41, 0, 1, 80, 81]
    assert (x[..., 1] == 7).all()


def test_classes_that_are_numbers_are_these_numbers(tmp_path: Path) -> None:
    root = folder(tmp_path, ("7", "10"), "L")
    found = samples_file.read(root)
    assert found.arrays["y"].tolist() == [10, 10, 7, 7]
    assert found.classes == samples_file.class_names(root) == ()
    assert found.arrays["x"].shape == (4, 4, 5)


def test_a_model_s_channels_are_what_images_are_read_as(tmp_path: Path) -> None:
    root = folder(tmp_path, ("a",))
    grey = samples_file.read(root, channels=1).arrays["x"]
    assert grey.shape == (2, 4, 5)
    # ITU-R 601-2, which Pillow documents for this conversion
    assert abs(int(grey[1, 0, 0]) - (0.299 * 1 + 0.587 * 7 + 0.114 * 9)) <= 1


def test_images_without_folders_have_no_classes(tmp_path: Path) -> None:
    root = folder(tmp_path, ("a",))
    assert list(samples_file.read(root / "a").arrays) == ["x"]


def test_images_of_two_sizes_are_refused_by_name(tmp_path: Path) -> None:
    root = folder(tmp_path, ("a",))
    Image.new("RGB", (8, 4)).save(root / "a" / "z.png")
    with pytest.raises(InputError, match=r"z\.png is 8 x 4 pixels, and .*0\.BMP is 5 x 4 pixels"):
        samples_file.read(root)


def test_what_is_no_image_is_refused_by_name(tmp_path: Path) -> None:
    root = folder(tmp_path, ("a",))
    (root / "a" / "q.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.raises(InputError, match=r"q\.png is not an image, or damaged"):
        samples_file.read(root)


@pytest.mark.parametrize("name", ["s.txt", "s", "s.npz", "none.csv", "none"])
def test_what_is_no_file_of_samples_is_refused(tmp_path: Path, name: str) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_text("1")
    with pytest.raises(InputError, match=name):
        samples_file.read(tmp_path / name)


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refused)
    for look in (samples_file.read, samples_file.digest, samples_file.class_names):
        with pytest.raises(InputError, match=f"cannot read {tmp_path}: Permission denied"):
            look(tmp_path)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".csv", "", ".jpg"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, suffix: str) -> None:
    for name, why in ((f"{'a' * 300}{suffix}", "File name too long"), (f"a\0{suffix}", "null byte")):
        for look in (samples_file.read, samples_file.digest):
            with pytest.raises(InputError, match=why):
                look(tmp_path / name)


def test_the_digest_goes_by_content_and_class(tmp_path: Path) -> None:
    root = folder(tmp_path, ("a", "b"))
    before = samples_file.digest(root)
    assert before == samples_file.digest(root)
    (root / "a").rename(root / "c")
    assert samples_file.digest(root) != before
    with pytest.raises(InputError, match="cannot read"):
        samples_file.digest(tmp_path / "none.npz")

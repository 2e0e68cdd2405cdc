import os
import re
from pathlib import Path

import pytest
from torchvision.datasets import ImageFolder

from avalanche_emgd.benchmarks._image_folders import class_folders


def test_folders_are_listed_as_torchvision_does(tmp_path):
    for name in (
        "b/x.png",
        "b/inner/y.JPG",
        "b/inner/deep/z.tif",
        "a/1.png",
        "a/note.txt",
        "c/9.webp",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    elsewhere = tmp_path.parent / f"{tmp_path.name}_elsewhere"
    elsewhere.mkdir()
    (elsewhere / "w.png").write_bytes(b"")
    (tmp_path / "c" / "link").symlink_to(elsewhere)
    (tmp_path / "d").symlink_to(elsewhere)
    found, expected = class_folders(tmp_path), ImageFolder(str(tmp_path))
    assert found.classes == expected.classes
    assert list(zip(found.paths, found.targets, strict=True)) == expected.samples


@pytest.mark.parametrize("target", [".", "..", "../..", "../../..", "/"])
@pytest.mark.parametrize("place", ["a/self", "a/inner/self"])
def test_symbolic_links_to_a_folder_above_are_refused(target, place, tmp_path, monkeypatch):
    for name in ("a/inner/1.png", "b/1.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    link = tmp_path / "data" / place
    link.symlink_to(target)
    listed, scandir = [], os.scandir

    def recorded(path):
        listed.append(Path(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", recorded)
    with pytest.raises(ValueError, match=r"a symbolic link to a folder above it, '.*/self'"):
        class_folders(tmp_path / "data")
    assert tmp_path / "data" / "a" in listed
    assert not [path for path in listed if path.is_relative_to(link)]


def test_folders_with_many_links_to_them_are_read_once(tmp_path):
    """40 folders, each with two links to the next one, so 2⁴⁰ paths."""
    for number in range(40):
        folder = tmp_path / "store" / f"{number}"
        folder.mkdir(parents=True)
        if number < 39:
            for name in ("one", "two"):
                (folder / name).symlink_to(tmp_path / "store" / f"{number + 1}")
    (tmp_path / "store" / "5" / "x.png").write_bytes(b"")
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "link").symlink_to(tmp_path / "store" / "0")
    assert [os.path.basename(path) for path in class_folders(tmp_path / "data").paths] == ["x.png"]


def test_classes_without_images(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError, match="no valid file for the class a"):
        class_folders(tmp_path)
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        class_folders(tmp_path / "a")
    with pytest.raises(FileNotFoundError, match=re.escape("Couldn't find any class folder")):
        class_folders(tmp_path / "nowhere")

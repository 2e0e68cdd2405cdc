"""Lists of image files in one folder for each class."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from torchvision.datasets.folder import IMG_EXTENSIONS

__all__ = ["ClassFolders", "class_folders"]


@dataclass(frozen=True)
class ClassFolders:
    """Image files by class.

    :param classes: names of the folders, in alphabetical order.
    :param paths: paths of all files, class by class.
    :param targets: index of the class of each file.
    """

    classes: list[str]
    paths: list[str]
    targets: list[int]


def class_folders(path: Path) -> ClassFolders:
    """List image files as torchvision's ``ImageFolder`` does, in the same order.

    :raises FileNotFoundError: if the folder or its classes are missing, or a class has no image.
    :raises ValueError: if a symbolic link leads back to a folder above it.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"Couldn't find any class folder in {path}.")
    classes = sorted(entry.name for entry in os.scandir(path) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {path}.")
    paths: list[str] = []
    targets: list[int] = []
    for number, name in enumerate(classes):
        found = _images_below(path / name)
        if not found:
            raise FileNotFoundError(
                f"Found no valid file for the class {name} in {path}. Supported extensions are: "
                f"{', '.join(IMG_EXTENSIONS)}."
            )
        paths += found
        targets += [number] * len(found)
    return ClassFolders(classes, paths, targets)


def _images_below(folder: Path) -> list[str]:
    """List all images in a folder and its subfolders, each folder once."""
    by_folder: dict[str, list[str]] = {}
    above = {_identity(each) for each in (folder.parent, *folder.parent.absolute().parents)}
    visited: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        visited.add(_identity(place))
        by_folder[place] = [
            os.path.join(place, name)
            for name in sorted(files)
            if name.lower().endswith(IMG_EXTENSIONS)
        ]
        for name in folders[:]:
            inner = os.path.join(place, name)
            identity = _identity(inner)
            if os.path.islink(inner) and (identity in above or _contains(inner, place)):
                raise ValueError(
                    f"`directory` has a symbolic link to a folder above it, {inner!r}: remove it."
                )
            if identity in visited:
                folders.remove(name)
            visited.add(identity)
    return [path for place in sorted(by_folder) for path in by_folder[place]]


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _contains(folder: str, place: str) -> bool:
    """Whether ``place`` lies in ``folder``, after symbolic links are resolved."""
    target, inner = os.path.realpath(folder), os.path.realpath(place)
    return inner == target or inner.startswith(target.rstrip(os.sep) + os.sep)

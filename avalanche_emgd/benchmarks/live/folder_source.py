"""A folder that is being filled with images, as a source of a live stream."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.datasets.folder import IMG_EXTENSIONS

from .._image_reading import check_size, decode
from ..images import normalised
from .seconds import check_seconds
from .sources import LiveSource, Minibatch

__all__ = ["FolderSource"]

_LOG = logging.getLogger(__name__)

Changing = dict[str, tuple[tuple[int, int], float]]
"""Of each file that may be incomplete: time and size, and since when these have been the same."""


class FolderSource(LiveSource):
    """Images that other programs put into a folder, each delivered once.

    The folder has one folder for each class, whose name is the label. Folders of new classes may
    appear at any time. Images are taken in order of their times, and of their names at one time. A
    file is read when it has not changed for ``settle`` seconds; one that is no image then is left
    out with a warning. A file that is named ``end``, in the folder itself, ends the data once all
    images before are delivered; so does :meth:`close`.

    :param directory: the folder, which must exist.
    :param size: (height, width) to which all images are scaled.
    :param mean: mean of the pixels in [0, 1], one value for each of three channels.
    :param std: standard deviation of the pixels, > 0, one value for each channel.
    :param poll: seconds between two readings of the folder, in (0, 1e6].
    :param settle: seconds without change after which a file counts as complete, in [0, 1e6]. Times
        of files may be in the future, where another machine's clock is ahead.
    :param end: name of the file that ends the data.
    :raises ValueError: if an argument is out of range, or the folder does not exist.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        size: tuple[int, int],
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        poll: float = 0.2,
        settle: float = 0.5,
        end: str = "END",
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        """The folder."""
        if not self.directory.is_dir():
            raise ValueError(f"`directory` must be a folder, found {str(directory)!r}.")
        check_seconds("poll", poll, is_positive=True)
        check_seconds("settle", settle)
        if len(mean) != 3 or len(std) != 3 or not min(std) > 0.0:
            raise ValueError(
                "`mean` and `std` must have three values, `std` positive, found "
                f"{tuple(mean)!r} and {tuple(std)!r}."
            )
        self._size = check_size(size)
        self._mean, self._std = tuple(mean), tuple(std)
        self._poll, self._settle, self._end = poll, settle, end
        self._closed, self._stopped = threading.Event(), threading.Event()
        # Names of files that still are in the folder; one that has vanished may come again.
        self._delivered: set[str] = set()
        self.broken = 0
        """Number of files that are no images."""

    def close(self) -> None:
        """End the data: the images that are in the folder now are the last ones."""
        self._closed.set()

    def stop(self) -> None:
        """See :meth:`LiveSource.stop`."""
        self._stopped.set()

    def batches(self, size: int) -> Iterator[Minibatch]:
        """See :meth:`LiveSource.batches`; the source may be added again after its end."""
        self._stopped.clear()
        return self._batches(size)

    def _batches(self, size: int) -> Iterator[Minibatch]:
        read = set(self._delivered)
        changing: Changing = {}
        waiting: list[tuple[str, Any]] = []
        while not self._stopped.is_set():
            is_last = self._closed.is_set() or (self.directory / self._end).exists()
            present, found = self._look(read, changing, at_once=is_last)
            # Copies: the stream's thread adds names in `delivered`.
            for gone in set(self._delivered) - present:
                self._delivered.discard(gone)
            read &= present
            for name in found:
                read.add(name)
                image = self._decoded(name)
                if image is not None:
                    waiting.append((name, image))
                if len(waiting) == size:
                    yield self._minibatch(waiting)
                    waiting = []
                if self._stopped.is_set():
                    return
            if is_last and not found:
                if waiting:
                    yield self._minibatch(waiting)
                return
            if not found:
                self._closed.wait(self._poll)

    def delivered(self, minibatch: Minibatch) -> None:
        """See :meth:`LiveSource.delivered`."""
        super().delivered(minibatch)
        self._delivered.update(minibatch.mark)

    def state_dict(self) -> dict[str, Any]:
        """Return the names of the delivered files that are in the folder, and their number."""
        return {**super().state_dict(), "delivered": sorted(self._delivered)}

    def load_state_dict(self, state: Mapping[str, Any]) -> str | None:
        """See :meth:`LiveSource.load_state_dict`."""
        self._delivered = set(state["delivered"])
        return super().load_state_dict(state)

    def _look(
        self, read: set[str], changing: Changing, *, at_once: bool
    ) -> tuple[set[str], list[str]]:
        """List all images in the folder, and those to read now in their order.

        :param read: names of the images that have been read.
        :param changing: what the last look has seen of those that were not complete.
        :param at_once: whether all images count as complete.
        """
        present: set[str] = set()
        found: list[tuple[int, str]] = []
        now, before = time.monotonic(), dict(changing)
        latest = time.time_ns() - int(self._settle * 1e9)
        changing.clear()
        for folder in [entry for entry in os.scandir(self.directory) if entry.is_dir()]:
            for file in _images_in(folder.path):
                name = f"{folder.name}/{file.name}"
                present.add(name)
                version = None if name in read else _version_of(file)
                if version is None:
                    continue
                seen = before.get(name)
                since = seen[1] if seen is not None and seen[0] == version else now
                if at_once or version[0] <= latest or 0.0 < now - since >= self._settle:
                    found.append((version[0], name))
                else:
                    changing[name] = version, since
        return present, [name for _, name in sorted(found)]

    def _decoded(self, name: str) -> Any:
        try:
            return decode(str(self.directory / name), self._size)[0]
        except ValueError as error:
            self.broken += 1
            _LOG.warning("left out: %s", error)
            return None

    def _minibatch(self, images: list[tuple[str, Any]]) -> Minibatch:
        pixels = torch.from_numpy(np.stack([image for _, image in images])).permute(0, 3, 1, 2)
        names = [name for name, _ in images]
        labels = [name.partition("/")[0] for name in names]
        return Minibatch(normalised(pixels.contiguous(), self._mean, self._std), labels, mark=names)


def _images_in(folder: str) -> list[os.DirEntry[str]]:
    try:
        files = list(os.scandir(folder))
    except FileNotFoundError:  # it has just vanished
        return []
    return [f for f in files if f.name.lower().endswith(IMG_EXTENSIONS) and f.name[0] != "."]


def _version_of(file: os.DirEntry[str]) -> tuple[int, int] | None:
    """Return time and size of a file."""
    try:
        found = file.stat()
    except OSError:  # it has just vanished
        return None
    return found.st_mtime_ns, found.st_size

"""Tasks that any thread adds to a live stream, checked at once and started at the next tick."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from ..._text_files import check_text
from .._examination import Examination
from .._labels import as_label
from ..limits import MOST_CLASSES
from .benchmark import LiveBenchmark
from .folder_source import FolderSource
from .iterable_source import IterableSource, check_iterable
from .map_source import MapSource
from .sources import LiveSource
from .task import LiveTask

__all__ = ["Addition", "Additions"]

_EXAMINED = 64  # test samples that are loaded one by one beforehand
_TEST_CHUNK = 256  # test samples of an iterable that are joined at a time


@dataclass(frozen=True)
class Addition:
    """A task that is to start.

    :param name: name of the task.
    :param source: its samples.
    :param classes: class labels that are known beforehand.
    :param is_open: whether further classes are taken as they come.
    :param test: test data set and its labels; ``None`` for those given before.
    """

    name: str
    source: LiveSource
    classes: set[int]
    is_open: bool
    test: tuple[Any, list[int]] | None


class Additions:
    """Queue of the tasks that are to start, for any thread.

    :param benchmark: benchmark of the stream.
    :param seed: seed of the order of samples.
    """

    def __init__(self, benchmark: LiveBenchmark, seed: int) -> None:
        self._benchmark = benchmark
        self._seed = seed
        self._lock = threading.RLock()
        self._queue: list[Addition] = []
        self._names: dict[str, bool] = {}  # of all tasks; whether they are active
        self._data: dict[str, Any] = {}  # of active tasks
        self._rounds: dict[str, int] = {}  # how often each has been added
        self._text: dict[str, int] | None = None  # numbers of class names; None if not known yet
        self._whole: dict[int, int] | None = None  # labels that are whole numbers, likewise
        self._resumed: dict[str, Mapping[str, Any]] = {}
        self.is_closed = False
        """Whether no further tasks are added."""

    @property
    def waiting(self) -> bool:
        """Whether tasks are to start."""
        return bool(self._queue)

    @property
    def class_names(self) -> dict[int, str]:
        """Name of each class, by label; empty for whole numbers."""
        with self._lock:
            return {number: name for name, number in (self._text or {}).items()}

    def close(self) -> None:
        """Add no further tasks."""
        self.is_closed = True

    @property
    def waiting_names(self) -> list[str]:
        """Names of the tasks that are to start."""
        with self._lock:
            return [each.name for each in self._queue]

    def take(self, names: Sequence[str] | None = None) -> list[Addition]:
        """Take the tasks that are to start.

        :param names: names of the tasks to take; all if ``None``.
        """
        with self._lock:
            found = [each for each in self._queue if names is None or each.name in names]
            self._queue = [each for each in self._queue if each not in found]
        return found

    def ended(self, name: str) -> None:
        """Note that a task has ended, so that it may be added again."""
        with self._lock:
            self._names[name] = False
            self._data.pop(name, None)

    def resume(
        self,
        tasks: Sequence[LiveTask],
        class_names: Mapping[int, str],
        active: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Take the tasks and classes of an earlier process.

        :param tasks: all tasks.
        :param class_names: name of each class.
        :param active: states of the sources of active tasks, by name.
        """
        with self._lock:
            self._names = {task.name: False for task in tasks}
            self._rounds = {task.name: task.rounds for task in tasks}
            if class_names:
                self._text = {str(name): int(label) for label, name in class_names.items()}
            elif any(task.classes for task in tasks):
                self._whole = {}
            self._resumed = dict(active)

    def restore(self, addition: Addition) -> bool:
        """Skip what an earlier process has delivered of a task; return whether there is any."""
        state = self._resumed.pop(addition.name, None)
        if state is None:
            return False
        lost = addition.source.load_state_dict(state)
        if lost is not None:
            warnings.warn(f"task {addition.name!r}: {lost}.", stacklevel=2)
        return addition.source.num_delivered > 0

    def number_of(self, label: Any) -> int:
        """Return the number of a class label.

        :raises ValueError: if it is no class label, or the stream's labels are of the other kind.
        """
        if type(label) is int and self._whole is not None and label in self._whole:
            return label  # the usual case, without the lock
        with self._lock:
            if isinstance(label, str):
                check_text(label, "the label")
                if self._whole is not None:
                    raise ValueError(
                        f"the label {label!r} is text, those before are whole numbers: give one "
                        "or the other"
                    )
                self._text = {} if self._text is None else self._text
                return self._text.setdefault(label, len(self._text))
            if self._text is not None:
                raise ValueError(
                    f"the label {label!r} is no text, but those before are: give one or the other"
                )
            try:
                number = as_label(label)
            except ValueError as error:
                raise ValueError(
                    f"{error} is no class label: give a whole number or text"
                ) from None
            if not 0 <= number < MOST_CLASSES:
                raise ValueError(
                    f"the label {number} must be in 0..{MOST_CLASSES - 1}: it is an output of the "
                    "model"
                )
            self._whole = {} if self._whole is None else self._whole
            return self._whole.setdefault(number, number)

    def add(
        self,
        data: Any,
        *,
        classes: Sequence[int | str] | None,
        name: str | None,
        test: Any,
        epochs: int,
        shuffle: bool,
    ) -> str:
        """Check a task, and queue it; see ``LiveStream.add_task``."""
        with self._lock:
            name = self._checked_name(name)
            self._check_unshared(data, name)
            self._names[name] = True  # reserved while the data are examined, which may take long
            self._data[name] = data
        try:
            source = self._source_of(data, name, epochs, shuffle)
            tested = None if test is None else self._test_of(test, name)
            self._queue_up(name, source, classes, tested)
        except BaseException:
            with self._lock:
                self._names[name] = False
                self._data.pop(name, None)
                if name not in self._rounds:
                    del self._names[name]
            raise
        return name

    def _queue_up(
        self,
        name: str,
        source: LiveSource,
        classes: Sequence[int | str] | None,
        test: tuple[Any, list[Any]] | None,
    ) -> None:
        is_text = isinstance(classes, str | bytes | Mapping)
        if classes is not None and (is_text or not isinstance(classes, Iterable)):
            raise ValueError(f"`classes` must be a list of class labels, found {classes!r}.")
        known: list[Any] | None = None if classes is None else list(classes)
        if known == []:
            raise ValueError(f"`classes` must be a list of class labels, found {classes!r}.")
        if known is None and isinstance(source, MapSource):
            known = sorted(set(source.labels))
        with self._lock:
            if self.is_closed:
                raise ValueError("`add_task` was called after close(): make a new stream.")
            try:
                numbers = {self.number_of(label) for label in known or ()}
                if test is not None:
                    test = test[0], [self.number_of(label) for label in test[1]]
            except ValueError as error:
                raise ValueError(f"`classes` of task {name!r}: {error}.") from None
            if isinstance(source, MapSource) and not numbers.issuperset(source.labels):
                strange = sorted(set(source.labels) - numbers)
                raise ValueError(f"`classes` of task {name!r} lack the labels {strange} of `data`.")
            self._queue.append(Addition(name, source, numbers, known is None, test))
            self._rounds[name] = self._rounds.get(name, 0) + 1

    def _check_unshared(self, data: Any, name: str) -> None:
        """Check that no active task takes the samples of a source that can be read once."""
        others = [other for other, own in self._data.items() if own is data]
        if others and isinstance(data, LiveSource | Iterator):
            raise ValueError(
                f"`data` of task {name!r} are those of the active task {others[0]!r}: give each "
                "task its own source."
            )

    def _checked_name(self, name: str | None) -> str:
        if name is None:
            number = len(self._names)
            while f"task{number}" in self._names:
                number += 1
            return f"task{number}"
        if not isinstance(name, str) or not name:
            raise ValueError(f"`name` must be text, found {name!r}.")
        check_text(name, "`name`")
        if name.startswith("memory"):
            raise ValueError(
                f"`name` must not start with 'memory', the name of the replay memory, found "
                f"{name!r}."
            )
        if self._names.get(name, False):
            raise ValueError(f"`name` {name!r} is that of an active task: choose another one.")
        return name

    def _source_of(self, data: Any, name: str, epochs: int, shuffle: bool) -> LiveSource:
        if isinstance(data, LiveSource):
            return data
        if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
            # The same in a process that resumes the stream.
            key = f"{self._seed}/{name}/{self._rounds.get(name, 0)}".encode()
            seed = int.from_bytes(hashlib.sha256(key).digest()[:6], "big")
            return MapSource(data, f"data of {name}", seed=seed, shuffle=shuffle, epochs=epochs)
        check_iterable(data, f"`data` of task {name!r}")
        if epochs != 1:
            raise ValueError(f"`epochs` is for map-style data sets, found {epochs!r}.")
        return IterableSource(data)

    def examined(self, test: Any, name: str) -> tuple[Any, list[int]]:
        """Examine test samples; return their data set and their class labels."""
        dataset, labels = self._test_of(test, name)
        return dataset, [self.number_of(label) for label in labels]

    def _test_of(self, test: Any, name: str) -> tuple[Any, list[Any]]:
        """Return a data set of test samples, and their labels as they are in the data."""
        if isinstance(test, Dataset) and not isinstance(test, IterableDataset):
            examination = Examination(test, f"test of {name}")
            examination.inputs(None, _EXAMINED)
            dataset, labels = test, list(examination.labels)
        else:
            if isinstance(test, FolderSource):
                test.close()
            if not isinstance(test, LiveSource):
                check_iterable(test, f"`test` of task {name!r}")
            source = test if isinstance(test, LiveSource) else IterableSource(test)
            found = list(source.batches(_TEST_CHUNK))
            labels = [label for minibatch in found for label in minibatch.labels]
            inputs = torch.cat([m.inputs for m in found]) if found else torch.empty(0)
            dataset = TensorDataset(inputs)
        if not labels:
            raise ValueError(f"`test` of task {name!r} has no sample.")
        return dataset, labels

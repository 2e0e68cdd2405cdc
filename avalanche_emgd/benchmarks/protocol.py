"""Protocol files: published label sets and time lines of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .._atomic import replacing
from .._near import did_you_mean
from .._text_files import excerpt, parse_json, read_text
from ._json_position import line_of
from .timeline import Timeline

__all__ = ["LabelSet", "Protocol", "ProtocolError", "check_label_sets"]


class ProtocolError(ValueError):
    """Error of an invalid protocol file; the message names the key and the line."""


@dataclass(frozen=True)
class LabelSet:
    """One division of the classes into tasks, with its time lines.

    :param classes: original class labels of each task.
    :param timelines: time lines for this number of tasks.
    """

    classes: tuple[tuple[int, ...], ...]
    timelines: tuple[Timeline, ...]


@dataclass(frozen=True)
class Protocol:
    """Label sets and time lines of a benchmark, stored in a JSON file.

    :param name: name of the benchmark.
    :param dataset: name of the data set with the classes.
    :param num_classes: number of classes of the data set, labelled from 0.
    :param batch_size: minibatch size of the time lines.
    :param label_sets: alternative divisions of the classes.
    """

    name: str
    dataset: str
    num_classes: int
    batch_size: int
    label_sets: tuple[LabelSet, ...]

    def select(self, label_set: int, timeline: int) -> tuple[tuple[tuple[int, ...], ...], Timeline]:
        """Select a label set and one of its time lines.

        :param label_set: index of the label set, from 0.
        :param timeline: index of the time line, from 0.
        :return: classes of each task, and the time line.
        :raises ValueError: if an index is out of range.
        """
        if not 0 <= label_set < len(self.label_sets):
            raise ValueError(
                f"`label_set` must be in 0..{len(self.label_sets) - 1} for protocol "
                f"{self.name!r}, found {label_set}."
            )
        chosen = self.label_sets[label_set]
        if not 0 <= timeline < len(chosen.timelines):
            raise ValueError(
                f"`timeline` must be in 0..{len(chosen.timelines) - 1} for label set {label_set} "
                f"of protocol {self.name!r}, found {timeline}."
            )
        return chosen.classes, chosen.timelines[timeline]

    @classmethod
    def load(cls, path: str | Path) -> Protocol:
        """Read a protocol file.

        :param path: path of the file.
        :raises ProtocolError: if the file cannot be read, is not JSON or not a protocol; the
            message names the key and the line.
        """
        try:
            text = read_text(path, "protocol")
        except ValueError as error:
            raise ProtocolError(
                f"{error} Name a JSON file with label sets and time lines."
            ) from None
        try:
            content = parse_json(text)
        except ValueError as error:
            raise ProtocolError(f"{path}, {error}") from None
        return _Reader(str(path), text).protocol(content)

    def save(self, path: str | Path) -> None:
        """Write a protocol file that :meth:`load` reads.

        :raises ValueError: if the file cannot be written.
        """
        content = {
            "name": self.name,
            "dataset": self.dataset,
            "num_classes": self.num_classes,
            "batch_size": self.batch_size,
            "ticks": "both ends inclusive",
            "label_sets": [
                {"classes": s.classes, "timelines": [t.spans for t in s.timelines]}
                for s in self.label_sets
            ],
        }
        with replacing(Path(path)) as draft:
            draft.write_text(json.dumps(content) + "\n", encoding="utf-8")


class _Reader:
    """Reader that checks the parsed content value by value, and names the place of an error."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text

    def protocol(self, content: Any) -> Protocol:
        self._only(content, (), (*(f.name for f in fields(Protocol)), "ticks"))
        sets = self._list(content, ("label_sets",))
        num_classes = self._integer(content, ("num_classes",))
        return Protocol(
            name=self._string(content, ("name",)),
            dataset=self._string(content, ("dataset",)),
            num_classes=num_classes,
            batch_size=self._integer(content, ("batch_size",), low=1),
            label_sets=tuple(
                self._label_set(content, ("label_sets", i), num_classes) for i in range(len(sets))
            ),
        )

    def _label_set(self, content: Any, path: tuple[str | int, ...], num_classes: int) -> LabelSet:
        at = (*path, "classes")
        self._only(self._get(content, path), path, [f.name for f in fields(LabelSet)])
        classes = tuple(
            tuple(
                self._integer(content, (*at, task, i))
                for i in range(len(self._list(content, (*at, task))))
            )
            for task in range(len(self._list(content, at)))
        )
        try:
            check_label_sets(classes, num_classes, name="classes")
        except ValueError as error:
            raise self._error(at, str(error)) from None
        timelines = []
        at = (*path, "timelines")
        for i in range(len(self._list(content, at))):
            spans = self._list(content, (*at, i))
            if len(spans) != len(classes):
                raise self._error(
                    (*at, i), f"must have {len(classes)} spans, one per task, found {len(spans)}"
                )
            try:
                timelines.append(Timeline(tuple(spans)))
            except ValueError as error:
                raise self._error((*at, i), str(error)) from None
        return LabelSet(classes, tuple(timelines))

    def _only(self, content: Any, path: tuple[str | int, ...], known: Sequence[str]) -> None:
        unknown = [key for key in content if key not in known] if isinstance(content, dict) else []
        if unknown:
            near = did_you_mean(unknown[0], known)
            raise self._error((*path, unknown[0]), f"is not known: leave it out.{near}")

    def _get(self, content: Any, path: tuple[str | int, ...]) -> Any:
        for depth, step in enumerate(path):
            if isinstance(step, str) and not isinstance(content, dict):
                raise self._error(path[:depth], f"must be an object with the key {step!r}")
            if isinstance(step, str) and step not in content:
                raise self._error(path[:depth], f"misses the key {step!r}")
            content = content[step]
        return content

    def _list(self, content: Any, path: tuple[str | int, ...]) -> list[Any]:
        value = self._get(content, path)
        if not isinstance(value, list) or not value:
            raise self._error(
                path, f"must be a list with at least one entry, found {excerpt(value)}"
            )
        return value

    def _integer(self, content: Any, path: tuple[str | int, ...], low: int = 0) -> int:
        value = self._get(content, path)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self._error(path, f"must be an integer ≥ {low}, found {excerpt(value)}")
        return value

    def _string(self, content: Any, path: tuple[str | int, ...]) -> str:
        value = self._get(content, path)
        if not isinstance(value, str):
            raise self._error(path, f"must be a string, found {excerpt(value)}")
        return value

    def _error(self, path: tuple[str | int, ...], complaint: str) -> ProtocolError:
        key = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).lstrip(".")
        line = line_of(self._text, path)
        where = f"key {excerpt(key, 200)}" if key else "the file"
        end = "" if complaint[-1] in ".?" else "."
        return ProtocolError(f"{self._path}, line {line}: {where} {complaint}{end}")


def check_label_sets(
    label_sets: Sequence[Sequence[int]], num_classes: int | None = None, name: str = "label_sets"
) -> None:
    """Check that the label sets of the tasks are non-empty and disjoint.

    :param label_sets: class labels of each task.
    :param num_classes: number above all labels; no upper limit if omitted.
    :param name: name of the argument, for error messages.
    :raises ValueError: if a label set is empty, a label is out of range, or a label occurs twice;
        the message names the tasks and the labels.
    """
    if len(label_sets) == 0:
        raise ValueError(f"`{name}` must have at least one task, found none.")
    owner: dict[int, int] = {}
    for task, labels in enumerate(label_sets):
        if len(labels) == 0:
            raise ValueError(f"`{name}[{task}]` is empty: a task needs at least one class.")
        for label in labels:
            if owner.get(label) == task:
                raise ValueError(f"`{name}[{task}]` has class {label} twice.")
            if label in owner:
                raise ValueError(
                    f"`{name}` must not overlap: class {label} is in task {owner[label]} and in "
                    f"task {task}."
                )
            if label < 0 or (num_classes is not None and label >= num_classes):
                raise ValueError(
                    f"`{name}[{task}]` has class {label}, outside 0..{(num_classes or 0) - 1}."
                    if num_classes is not None
                    else f"`{name}[{task}]` has the negative class {label}."
                )
            owner[label] = task

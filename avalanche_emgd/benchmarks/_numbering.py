"""Class labels in a benchmark: the labels in the data, or new labels from 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .limits import MOST_CLASSES
from .protocol import check_label_sets

__all__ = ["Numbering"]

_REMEDY = "relabel=True numbers classes anew, from 0"


@dataclass(frozen=True)
class Numbering:
    """Mapping from the class labels in each task's data to the labels in the benchmark.

    :param numbers: mappings for each task, from labels in the data to labels in the benchmark.
    """

    numbers: tuple[dict[int, int], ...]

    @classmethod
    def of(cls, labels: Sequence[Sequence[int]], *, relabel: bool) -> Numbering:
        """Choose the labels of the classes in the benchmark.

        :param labels: labels of the training samples of each task.
        :param relabel: whether to number the classes anew, from 0 in ascending order. If tasks
            share labels, each task has its own classes, numbered task after task.
        :raises ValueError: if a task has no classes, or there are too many classes. Without
            ``relabel``, also if labels are shared between tasks, negative or too large.
        """
        found = [sorted(set(own)) for own in labels]
        for task, own in enumerate(found):
            if not own:
                raise ValueError(
                    f"`train_datasets[{task}]` is empty: a task needs at least one class."
                )
        if relabel:
            numbers = _anew(found)
        else:
            _check(found)
            numbers = [{label: label for label in own} for own in found]
        highest = max(max(own.values()) for own in numbers)
        if highest >= MOST_CLASSES:
            raise ValueError(
                f"`train_datasets` has {highest + 1} classes, more than {MOST_CLASSES}: leave some "
                "out."
            )
        return cls(tuple(numbers))

    @property
    def label_sets(self) -> tuple[tuple[int, ...], ...]:
        """Labels of each task in the benchmark, ascending."""
        return tuple(tuple(sorted(own.values())) for own in self.numbers)

    @property
    def shared(self) -> bool:
        """Whether tasks share labels in the data."""
        return sum(map(len, self.numbers)) > len({label for own in self.numbers for label in own})


def _anew(found: list[list[int]]) -> list[dict[int, int]]:
    every = sorted({label for own in found for label in own})
    if len(every) == sum(map(len, found)):
        number = {label: place for place, label in enumerate(every)}
        return [{label: number[label] for label in own} for own in found]
    numbers, start = [], 0
    for own in found:
        numbers.append({label: start + place for place, label in enumerate(own)})
        start += len(own)
    return numbers


def _check(found: list[list[int]]) -> None:
    for task, own in enumerate(found):
        if own[0] < 0:
            raise ValueError(
                f"`train_datasets[{task}]` has the negative class {own[0]}: {_REMEDY}."
            )
        if own[-1] >= MOST_CLASSES:
            raise ValueError(
                f"`train_datasets[{task}]` has class {own[-1]}, so that a model would need "
                f"{own[-1] + 1} outputs, more than {MOST_CLASSES}: {_REMEDY}."
            )
    try:
        check_label_sets(found, name="train_datasets")
    except ValueError as error:
        raise ValueError(
            f"{str(error).rstrip('.')}: {_REMEDY}, so that tasks that share labels have classes of "
            "their own."
        ) from None

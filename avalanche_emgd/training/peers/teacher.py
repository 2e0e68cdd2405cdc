"""A frozen copy of the model from the end of the last finished task."""

from __future__ import annotations

import copy
from typing import Any

import torch
from avalanche.models.utils import avalanche_forward
from torch import Tensor, nn

from ...benchmarks import SegmentExperience

__all__ = ["Teacher"]


class Teacher:
    """A frozen copy of the model from the end of the last segment in which a task finished.

    The copy teaches the classes of the tasks that had finished by then. Classes of other tasks are
    learned from labels.
    """

    def __init__(self) -> None:
        self.model: nn.Module | None = None
        self.tasks: dict[int, list[int]] = {}
        """Classes of each finished task, or of each experience of an ordinary benchmark."""

    @property
    def classes(self) -> list[int]:
        """Classes of all finished tasks, ascending."""
        return sorted({label for labels in self.tasks.values() for label in labels})

    def observe(self, model: nn.Module, experience: Any) -> None:
        """Copy the model if a task has finished.

        :param model: model at the end of the experience.
        :param experience: experience of any benchmark; an ordinary one counts as a finished task.
        """
        if isinstance(experience, SegmentExperience):
            label_sets = experience.benchmark.label_sets
            finished = {task: list(label_sets[task]) for task in experience.finishing_tasks}
        else:
            labels = sorted({int(label) for label in experience.dataset.targets})
            finished = {experience.current_experience: labels}
        if finished:
            self.tasks.update(finished)
            self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def logits(self, x: Tensor, task_labels: Tensor) -> Tensor:
        """Compute the logits ``[B, K]`` of the copy, unmasked and in evaluation mode.

        :param x: inputs ``[B, ...]``.
        :param task_labels: task labels ``[B]``.
        :raises ValueError: if no task has finished yet.
        """
        if self.model is None:
            raise ValueError("No task has finished yet.")
        return avalanche_forward(self.model, x, task_labels)

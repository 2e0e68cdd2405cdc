"""What the model was when a task last finished."""

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

    It is asked about the classes of the tasks that had finished by then; those of tasks that were
    still active go on being learned from labels.
    """

    def __init__(self) -> None:
        self.model: nn.Module | None = None
        self.tasks: dict[int, list[int]] = {}
        """Classes of each finished task; on ordinary benchmarks of each experience."""

    @property
    def classes(self) -> list[int]:
        """Classes of all finished tasks, ascending."""
        return sorted({label for labels in self.tasks.values() for label in labels})

    def observe(self, model: nn.Module, experience: Any) -> None:
        """Take a copy if a task has finished.

        :param model: at the end of the experience.
        :param experience: of any benchmark; an ordinary one counts as a finished task.
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
        """Logits ``[B, K]`` of the copy, unmasked and in evaluation mode.

        :raises ValueError: if no task has finished yet.
        """
        if self.model is None:
            raise ValueError("No task has finished yet.")
        return avalanche_forward(self.model, x, task_labels)

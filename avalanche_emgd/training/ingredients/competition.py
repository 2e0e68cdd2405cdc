"""Loss of the current tasks with fewer competing classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import torch
from torch import Tensor

from ..._near import did_you_mean
from ..._numbers import check_in_range
from ...benchmarks import Part, SegmentExperience
from ...benchmarks.experience import objective_names
from ...models import mask_logits

__all__ = ["Among", "Asymmetric", "CurrentClasses"]

Among = Literal["active", "incoming"]


@dataclass(frozen=True)
class Asymmetric:
    r"""Asymmetric cross-entropy: the classes of current tasks compete with fewer others.

    .. math:: (1 - s) \, \mathrm{CE}_\text{allowed} + s \, \mathrm{CE}_\text{current}

    The first cross-entropy is over all classes that the scenario allows. The second is over the
    current ones of these classes. New classes thus decrease the logits of finished classes less. A
    sample's own class always competes. In the memory's loss, all classes that the scenario allows
    compete. The strategy's ``criterion``, if given, replaces the cross-entropy.

    With s = 1 and ``among="incoming"`` this is ER-ACE (Caccia et al., ICLR 2022). The authors'
    memory also holds samples of the current classes, which separate them from the finished ones.
    The memory here holds finished tasks only. With s = 1, no loss compares the classes of a task
    with those of finished tasks until it finishes. In the class scenario, A_e is therefore low,
    because it is measured at the end of the task. A share below 1 compares them.

    With targets that are no class labels, all classes compete.

    :param share: s in [0, 1]; 0 is plain cross-entropy.
    :param among: current classes: ``"active"`` for those of the tick's active tasks, or
        ``"incoming"`` for those of the tick's incoming samples, of all active tasks together.
    :raises ValueError: if a value is none of these.
    """

    share: float = 0.5
    among: Among = "active"

    def __post_init__(self) -> None:
        check_in_range("share` of `competition", self.share, 0.0, 1.0)
        if self.among not in ("active", "incoming"):
            raise ValueError(
                f"`among` must be 'active' or 'incoming', found {self.among!r}."
                f"{did_you_mean(self.among, ('active', 'incoming'))}"
            )

    def __call__(self, strategy: Any, output: Tensor, part: Part) -> Tensor:
        """Compute the loss of one current task, a scalar.

        :param strategy: strategy that trains.
        :param output: masked outputs ``[b, K]``.
        :param part: samples of the task in the minibatch.
        """
        if self.share == 0.0 or strategy.mb_y.is_floating_point():
            loss: Tensor = strategy.label_loss(output, part)
            return loss
        current: Tensor = strategy.label_loss(self._among_current(strategy, output), part)
        if self.share == 1.0:
            return current
        return (1.0 - self.share) * strategy.label_loss(output, part) + self.share * current

    def _among_current(self, strategy: Any, output: Tensor) -> Tensor:
        parts, targets = strategy.mbatch.parts, strategy.mb_y
        place, state = (self, output.shape[1], output.device), (len(parts), targets._version)
        known = strategy.now.class_masks.get(place)
        if known is None or known[0] is not targets or known[1] != state:
            known = targets, state, self._current(strategy, output)
            strategy.now.class_masks[place] = known
        return mask_logits(output, known[2])

    def _current(self, strategy: Any, output: Tensor) -> Tensor:
        """Mask of the current classes, ``[K]``; one for all objectives of a tick."""
        parts = [part for part in strategy.mbatch.parts if not part.replayed]
        incoming = [strategy.mb_y[part.start : part.stop] for part in parts]
        current = torch.zeros(output.shape[1], dtype=torch.bool, device=output.device)
        current[torch.cat(incoming)] = True
        if self.among == "active":
            current[strategy.classes_of(part.objective for part in parts)] = True
        return current


class CurrentClasses:
    """Class labels of tasks of the experiences in training, each set of tasks computed once."""

    def __init__(self) -> None:
        self._found: dict[frozenset[str], list[int]] = {}

    def of(self, experiences: Sequence[Any], objectives: Iterable[str]) -> list[int]:
        """Return the class labels of tasks, ascending.

        :param experiences: experiences of any benchmark, the same at all calls.
        :param objectives: names of the tasks; one that is not of a task stands for all of them.
        """
        names = frozenset(objectives)
        if names not in self._found:
            found = (_current_classes(each, names) for each in experiences)
            self._found[names] = sorted(set(chain.from_iterable(found)))
        return self._found[names]


def _current_classes(experience: Any, found: AbstractSet[str]) -> list[int]:
    names = objective_names(experience)
    if not found <= set(names.values()):
        found = set(names.values())
    tasks = {task for task, name in names.items() if name in found}
    if isinstance(experience, SegmentExperience):
        sets = experience.benchmark.label_sets
        return sorted({label for task in tasks for label in sets[task]})
    targets = torch.as_tensor([int(label) for label in experience.dataset.targets])
    if len(tasks) < len(names):
        labels = torch.as_tensor(list(map(int, experience.dataset.targets_task_labels)))
        targets = targets[torch.isin(labels, torch.tensor(sorted(tasks)))]
    return targets.unique().tolist()

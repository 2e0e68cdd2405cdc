"""Memory editing: replayed images move along the common direction, within bounds."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...benchmarks import Part
from ...gradients.flat_gradient import flat_gradient
from ...gradients.input_gradient import directional_derivative
from ...models import frozen_statistics
from ..editing import EditingSpec, Replayed, make_memory_editing
from ..memory import ReplayMemory
from .base import MultiGradientPlugin

__all__ = ["EditMeasure", "MemoryEditingPlugin"]

ORIGINAL = "original"  # annotation of the memory
_COMPARED = 64  # images in memory whose distances are compared with the radius


@dataclass(frozen=True)
class EditMeasure:
    """Measured effect of an edit.

    :param tick: tick of the edit.
    :param objective: name of the replayed objective.
    :param edited: number of edited images.
    :param before: cosine of the objective's gradient and the direction, before the edit.
    :param after: cosine of the gradient on the edited images and the direction.
    :param mean_drift: mean L2 distance of the images in memory from their originals.
    :param max_drift: largest L2 distance of an image in memory from its original.
    """

    tick: int
    objective: str
    edited: int
    before: float
    after: float
    mean_drift: float
    max_drift: float


class MemoryEditingPlugin(MultiGradientPlugin):
    """Plugin that edits the images of the replayed minibatch, before the update of a tick.

    By default, an image moves against ∇_x ½‖g_M(x) − Σ λ_i g_i‖² (arXiv 2401.01054), with weights,
    direction and model held fixed. The edited image replaces the stored image, so that later ticks
    replay it. It never leaves the ball around its original, nor the valid range of pixels. The
    memory stores the original as an annotation (``"original"``). Labels, parameters, ``grad``,
    running statistics and the user's data set do not change.

    Images are stored in floating point, so that edits far below 1/255, the resolution of a byte,
    accumulate. The memory has two floating-point copies of each image, eight times the size of an
    8-bit image. For some thousand samples this is small compared with the gradients.

    :param memory: memory of the replayed images.
    :param editing: settings; see :class:`~avalanche_emgd.training.editing.MemoryEditing`.
    """

    def __init__(self, memory: ReplayMemory, editing: EditingSpec = "distance") -> None:
        super().__init__()
        self.memory = memory
        self.editing = make_memory_editing(editing)
        self.rule = self.editing.make_rule()
        self.bounds = self.editing.make_bounds()
        self.history: list[EditMeasure] = []
        """Measurements of edits, in order; see ``measure_every`` of the settings."""
        self._edits = 0

    @property
    def last(self) -> EditMeasure | None:
        """Last measurement; ``None`` before the first one."""
        return self.history[-1] if self.history else None

    def state_dict(self) -> dict[str, Any]:
        """Return the measurements and the number of edits; the memory has the images."""
        return {"history": [asdict(each) for each in self.history], "edits": self._edits}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self.history[:] = [EditMeasure(**each) for each in state["history"]]
        self._edits = int(state["edits"])

    @property
    def originals(self) -> Tensor:
        """Originals of all images in memory, ``[len(memory), ...]``."""
        self.memory.annotate(ORIGINAL, lambda x, *_: x)
        return self.memory.annotation(ORIGINAL) if len(self.memory) else self.memory.inputs

    def drift(self) -> Tensor:
        """Compute the L2 distances of all images from their originals, ``[len(memory)]``."""
        if len(self.memory) == 0:
            return torch.empty(0)
        return (self.memory.inputs - self.originals).flatten(1).norm(dim=1)

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Edit the replayed images of this tick."""
        tick = strategy.tick
        due = tick >= self.editing.start and tick % self.editing.every == 0
        if not due or strategy.replay is None or not strategy.replay.drawn:
            return
        self._edits += 1
        if self._edits == 1:
            self._warn_of_radius()
        every = self.editing.measure_every
        measured = bool(every) and (self._edits - 1) % every == 0
        direction = strategy.objective_gradients.combine(
            strategy.weights, strategy.space.num_shared
        )
        with frozen_statistics(strategy.model):
            for row, part in enumerate(strategy.mbatch.parts):
                positions = strategy.replay.drawn.get(part.objective)
                if positions is not None:
                    self._edit(strategy, row, part, positions, direction, measured)

    def _warn_of_radius(self) -> None:
        """Warn if the ball around an image holds images of other classes."""
        every = -(-len(self.memory) // _COMPARED)  # samples are sorted by class
        _, labels, _ = self.memory.take(torch.arange(0, len(self.memory), every))
        images = self.originals[::every].flatten(1).float()
        order = 2.0 if self.bounds.norm == "l2" else math.inf
        distances = torch.cdist(images, images, order)[labels[:, None] != labels]
        usual = float(distances.median()) if len(distances) else math.inf
        if self.bounds.radius > usual:
            warnings.warn(
                f"`radius` {self.bounds.radius:g} of memory editing is more than the median "
                f"distance between images of different classes, {usual:.3g}. An edited image can "
                "look like another class: choose a smaller radius.",
                stacklevel=2,
            )

    def _edit(
        self,
        strategy: Any,
        row: int,
        part: Part,
        positions: Tensor,
        direction: Tensor,
        measured: bool,
    ) -> None:
        # Take the images from memory, because those of the minibatch may be augmented.
        x = self.memory.inputs[positions].to(strategy.device)
        gradient = strategy.objective_gradients.row(row)
        replayed = Replayed(
            x,
            lambda inputs: strategy.loss_of(inputs, part),
            strategy.model,
            strategy.space.parameters,
            gradient,
            direction,
            lambda: _look_ahead(strategy),  # only some rules need it
        )
        original = self.originals[positions].to(x)
        edited = self.bounds.move(x, original, self.rule.gradient(replayed))
        chosen = torch.ones(len(x), dtype=torch.bool)
        if self.editing.only_conflicting:
            chosen = (self._gains(strategy, part, x, direction) < 0.0).cpu()
        keep = chosen.to(x.device).view(-1, *[1] * (x.ndim - 1))
        edited = torch.where(keep, edited, x)
        self.memory.inputs[positions] = edited.to(self.memory.inputs)
        if measured:
            after = flat_gradient(replayed.loss(edited), replayed.parameters)
            drift = self.drift()
            self.history.append(
                EditMeasure(
                    strategy.tick,
                    part.objective,
                    int(chosen.sum()),
                    _cosine(gradient, direction),
                    _cosine(after, direction),
                    float(drift.mean()),
                    float(drift.max()),
                )
            )

    def _gains(self, strategy: Any, part: Part, x: Tensor, direction: Tensor) -> Tensor:
        """Compute b⟨∇_θ ℓ_i, u⟩ of each image, ``[b]``: its loss decreases in proportion."""
        outputs, change = directional_derivative(
            lambda inputs: strategy.outputs_of(inputs, part),
            strategy.model,
            strategy.space.parameters,
            x,
            direction,
        )
        outputs = outputs.detach().requires_grad_()
        (output_gradient,) = torch.autograd.grad(strategy.objective_loss(outputs, part), outputs)
        return (output_gradient * change).flatten(1).sum(dim=1)


def _look_ahead(strategy: Any) -> Tensor:
    """Compute −η times the mean gradient of the active tasks, ``[P]``.

    η is the learning rate of the optimizer's first parameter group.
    """
    active = torch.tensor([not replayed for replayed in strategy.replayed])
    rows = strategy.gradients[active.to(strategy.gradients.device)]
    return -float(strategy.optimizer.param_groups[0]["lr"]) * rows.mean(dim=0)


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(functional.cosine_similarity(one.double(), other.double(), dim=0))

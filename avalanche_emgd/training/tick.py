"""Everything that belongs to one tick: objectives, outputs, losses, gradients and weights."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from ..benchmarks.loader import Part
from ..gradients import ObjectiveGradients, Pass, StackedGradients
from ..gradients.engine import Losses

__all__ = ["Tick", "fetched"]


def _no_gradients() -> ObjectiveGradients:
    return StackedGradients(torch.empty(0, 0))


@dataclass
class Tick:
    """One training iteration of n objectives.

    Graphs are released when it ends; numbers stay until the next one.

    :param parts: samples of each objective in the minibatch.
    :param forward_pass: forward pass of the objectives; ``None`` before and after the tick.
    :param output: masked outputs ``[B, K]`` of all objectives, as the model gave them.
    :param replaced: outputs ``[B, K]`` that a plugin has put in the place of ``output``, if any.
    :param outputs: masked outputs ``[b, K]`` of each objective.
    :param losses: losses of the objectives, in their graphs.
    :param separable: whether each loss is known to depend on its objective's outputs alone.
    :param objective_losses: objective losses ``[n]``, detached.
    :param mean_loss: mean of the losses, a leaf: its gradient is the factor by which plugins have
        multiplied it.
    :param gradients: gradients of the objectives.
    :param gramian: Gramian ``[n, n]`` float64 on the CPU.
    :param weights: weights ``[n]``.
    """

    parts: Sequence[Part] = ()
    forward_pass: Pass | None = None
    output: Tensor | None = None
    replaced: Tensor | None = None
    outputs: Sequence[Tensor] = ()
    losses: Losses = ()
    separable: bool = False
    objective_losses: Tensor = field(default_factory=lambda: torch.empty(0))
    mean_loss: Tensor | None = None
    gradients: ObjectiveGradients = field(default_factory=_no_gradients)
    gramian: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    weights: Tensor = field(default_factory=lambda: torch.empty(0))

    def __post_init__(self) -> None:
        self.objectives: list[str] = [part.objective for part in self.parts]
        """Names of the objectives."""
        self.replayed: list[bool] = [part.replayed for part in self.parts]
        """Which of them come from a replay memory."""
        self.class_masks: dict[Hashable, Any] = {}
        """Masks of classes that losses of several objectives share, with what they depend on."""
        self.skipped: list[str] = []
        """Names of objectives that are left out, because their loss or gradient is not finite."""
        self.buffers_before: list[Tensor] = []
        """Buffers of the model before the forward pass, if objectives may be left out."""
        self._version = 0  # of `output`

    def set_outputs(self, forward_pass: Pass, output: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """Set the forward pass and its masked outputs.

        :param forward_pass: forward pass of the objectives.
        :param output: masked outputs ``[B, K]`` of all objectives.
        :param outputs: masked outputs ``[b, K]`` of each objective.
        :return: ``output``.
        """
        self.forward_pass, self.output, self.outputs = forward_pass, output, outputs
        self._version = output._version
        return output

    @property
    def is_joined(self) -> bool:
        """Whether all objectives have been forwarded together."""
        return self.forward_pass is not None and self.forward_pass.joined is not None

    def adopt(self, output: Tensor) -> None:
        """Take outputs of a plugin for those of the objectives.

        :param output: outputs ``[B, K]`` of all objectives.
        """
        self.replaced = output
        self.outputs = [output[part.start : part.stop] for part in self.parts]

    @property
    def shares_graph(self) -> bool:
        """Whether a plugin's outputs have joined the graphs of separate passes into one."""
        return self.replaced is not None and not self.is_joined

    def is_own(self, output: Tensor) -> bool:
        """Whether outputs are those of the pass: not replaced, modified or hooked by a plugin."""
        return (
            output is self.output
            and output._version == self._version
            and not output._backward_hooks
        )

    def is_mean(self, loss: Tensor) -> bool:
        """Whether a loss is the mean of the objectives' losses, added to zero, and nothing else."""
        node, mean = loss.grad_fn, self.mean_loss
        if node is None or mean is None or node.name() != "AddBackward0":
            return False
        terms = [edge[0] for edge in node.next_functions if edge[0] is not None]
        return len(terms) == 1 and terms[0] is get_gradient_edge(mean).node

    def release(self) -> None:
        """Drop the references to the graphs."""
        self.forward_pass, self.output, self.replaced = None, None, None
        self.outputs, self.losses = (), ()
        self.buffers_before = []
        self.mean_loss = None
        self.class_masks = {}


def fetched(gramian: Tensor, losses: Tensor) -> tuple[Tensor, list[float]]:
    """Bring Gramian and losses to the CPU, in the one transfer from the device of a tick.

    :param gramian: Gramian ``[n, n]``.
    :param losses: losses ``[n]``, detached.
    """
    if gramian.is_cpu and losses.is_cpu:
        return gramian, losses.tolist()
    values = torch.cat([gramian.flatten(), losses.to(gramian)]).cpu()
    return values[: gramian.numel()].view(gramian.shape), values[gramian.numel() :].tolist()

"""Avalanche's update type for several objectives: a gradient of each, their weights, one update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from avalanche.models.utils import avalanche_forward
from avalanche.training.templates.update_type import SGDUpdate
from torch import Tensor, nn

from ..benchmarks import TickBatch
from ..benchmarks.loader import Part
from ..gradients import Batches, GradientEngine
from ..gradients.batch_norm import normalises_by_batch
from ..gradients.batches import Pieces
from ..gradients.engine import Losses
from ..models import ClassMask, evaluation_mode
from ..optim import checked_weights
from .cross_entropy import is_mean_cross_entropy, mean_cross_entropies
from .gradient_space import GradientSpace
from .ingredients.specs import LossRule
from .nonfinite import NonFinite, find_nonfinite
from .plugins import ReplayMemoryPlugin
from .precision import MixedPrecision
from .scalar_losses import checked_scalar
from .several_processes import is_stopped
from .skipped_objectives import leave_out
from .tick import Tick, fetched
from .tick_view import TickView

__all__ = ["MultiGradientUpdate"]


class MultiGradientUpdate(TickView, SGDUpdate[Any, Any, Any]):
    """One update per tick: objectives, outputs and losses, gradients, Gramian, weights, step."""

    model: nn.Module
    engine: GradientEngine
    precision: MixedPrecision
    space: GradientSpace
    weighting: Callable[[Tensor], Tensor]
    mbatch: TickBatch
    mb_output: Any
    loss: Tensor
    replay: ReplayMemoryPlugin | None
    memory_loss: LossRule | None
    competition: LossRule | None
    _criterion: Any
    _class_mask: ClassMask
    nonfinite: NonFinite
    """Objectives that were left out, with the option ``on_nonfinite="skip"``."""
    retain_graph: bool

    def training_epoch(self, **kwargs: Any) -> None:
        """Train on the ticks of an experience."""
        for minibatch in self._minibatches():
            self.mbatch = minibatch
            if is_stopped(self):
                break
            self._unpack_minibatch()
            self._before_training_iteration(**kwargs)
            self.optimizer.zero_grad()
            self.loss = self._make_empty_loss()

            # Objectives, and their outputs
            self._before_forward(**kwargs)
            self.now = Tick(self.mbatch.parts)
            self.mb_output = self.forward()
            self._after_forward(**kwargs)

            # Their losses
            self.loss += self.criterion()

            # Their gradients and Gramian, weights, weighted sum
            self._before_backward(**kwargs)
            self.backward()
            self._after_backward(**kwargs)

            # Update
            self._before_update(**kwargs)
            self.optimizer_step()
            self._after_update(**kwargs)

            self._after_training_iteration(**kwargs)
            self._after_tick(**kwargs)

    # Outputs

    def forward(self) -> Tensor:
        """Masked outputs ``[B, K]`` of the minibatch; each objective is forwarded as if alone.

        :raises ValueError: if samples of the minibatch belong to no objective.
        """
        x, labels = self.mb_x, self.mb_task_id
        parts = self.now.parts
        if parts[-1].stop != len(x):
            raise ValueError(
                f"`mbatch` has {len(x)} samples, of which {parts[-1].stop} belong to "
                "an objective: plugins add samples with `strategy.mbatch.append_objective(...)`."
            )
        if self.nonfinite.action == "skip":
            self.now.buffers_before = [each.clone() for each in self.model.buffers()]
        sizes = [part.stop - part.start for part in parts]
        batches = Batches((x, labels), sizes, self.mbatch.groups)
        forward_pass = self.engine.forward(self._forward_batch, batches)
        if forward_pass.joined is not None:
            masked = self._class_mask(forward_pass.joined, labels)
            return self.now.set_outputs(forward_pass, masked, Pieces(masked, sizes))
        outputs = [
            self._class_mask(output, labels[part.start : part.stop])
            for output, part in zip(forward_pass.outputs, parts, strict=True)
        ]
        return self.now.set_outputs(forward_pass, torch.cat(outputs), outputs)

    def _forward_batch(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, task_labels = batch
        with self.precision.autocast(self.device):
            output = avalanche_forward(self.model, x, task_labels)
        if self.precision.precision is not None:
            output = output.to(self.space.parameters[0].dtype)
        return output

    def outputs_of(self, x: Tensor, part: Part) -> Tensor:
        """Masked outputs ``[b, K]`` of the live model for an objective's samples.

        Where batch norm sees the minibatch that an objective shares with others, it sees it here.

        :param x: inputs ``[b, ...]`` in the place of theirs.
        :param part: samples of the objective in the minibatch.
        """
        group = self.mbatch.group_of(part)
        inside = slice(part.start - group.start, part.stop - group.start)
        if group.stop - group.start > len(x) and normalises_by_batch(self.model):
            beside = [self.mb_x[group.start : part.start], x, self.mb_x[part.stop : group.stop]]
            labels = self.mb_task_id[group.start : group.stop]
            output = self._forward_batch((torch.cat(beside), labels))[inside]
            return self._class_mask(output, labels[inside])
        labels = self.mb_task_id[part.start : part.stop]
        return self._class_mask(self._forward_batch((x, labels)), labels)

    @torch.no_grad()
    def evaluated(self, x: Tensor, task_labels: Tensor) -> Tensor:
        """Masked outputs ``[n, K]`` of the live model in evaluation mode, without graph.

        :param x: inputs ``[n, ...]`` on any device.
        :param task_labels: task labels ``[n]``.
        """
        x, task_labels = x.to(self.device), task_labels.to(self.device)
        with evaluation_mode(self.model):
            return self._class_mask(self._forward_batch((x, task_labels)), task_labels)

    # Losses

    def criterion(self) -> Tensor:
        """Mean of the objectives' losses."""
        tick = self.now
        is_own = tick.is_own(self.mb_output)
        if not is_own:  # a plugin has put its own in their place, or has modified them
            tick.adopt(self.mb_output)
        is_mean = not self._has_own_losses() and is_mean_cross_entropy(self._criterion)
        # Other criteria may depend on parameters, too: the engine examines their graphs.
        tick.separable = is_own and is_mean
        tick.losses = losses = self._losses(tick, is_mean)
        tick.objective_losses = (
            losses.detach()
            if isinstance(losses, Tensor)
            else torch.stack([loss.detach() for loss in losses])
        )
        # A leaf: going backward through it does not enter the objectives' graphs.
        tick.mean_loss = tick.objective_losses.mean().requires_grad_()
        return tick.mean_loss

    def _losses(self, tick: Tick, is_mean: bool) -> Losses:
        """Losses of the objectives; of all at once if they are means of cross-entropies."""
        if tick.is_joined and is_mean and not self.mb_y.is_floating_point():
            sizes = [part.stop - part.start for part in tick.parts]
            return mean_cross_entropies(self._criterion, self.mb_output, self.mb_y, sizes)
        return [
            checked_scalar(self.objective_loss(output, part), "criterion", " (reduction='mean')")
            for output, part in zip(tick.outputs, tick.parts, strict=True)
        ]

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Loss of one objective, a scalar, as ``memory_loss`` and ``competition`` say.

        :param output: masked output ``[b, K]``.
        :param part: samples of the objective in the minibatch.
        :raises ValueError: if ``memory_loss`` or ``competition`` returns no scalar tensor.
        """
        if not part.replayed:
            name, rule = "competition", self.competition
        else:
            name, rule = "memory_loss", self.memory_loss
            if self.replay is None or part.objective not in self.replay.drawn:
                rule = None  # of another memory
        if rule is None:
            return self.label_loss(output, part)
        return checked_scalar(rule(self, output, part), name)

    def label_loss(self, output: Tensor, part: Part) -> Tensor:
        """Criterion of the outputs and targets of one objective, a scalar.

        :param output: masked output ``[b, K]``.
        :param part: samples of the objective in the minibatch.
        """
        found: Tensor = self._criterion(output, self.mb_y[part.start : part.stop])
        return found

    def loss_of(self, x: Tensor, part: Part) -> Tensor:
        """Loss of an objective with other inputs, a scalar; see :meth:`outputs_of`."""
        return self.objective_loss(self.outputs_of(x, part), part)

    # Gradients, weights and the weighted sum

    def backward(self) -> None:
        """One gradient per objective, their weights, and the weighted sum for the optimizer.

        As in PyTorch, the sum is added to gradients that the parameters have already.
        """
        tick = self.now
        has_gradients = self.space.keep_gradients()
        is_extended = not tick.is_mean(self.loss)
        factor = self._add_extension(tick) if is_extended else 1.0
        losses = self._differentiate(tick)
        while bad := find_nonfinite(tick.gramian, losses):
            if not leave_out(self, bad, losses):
                return
            tick = self.now
            losses = self._differentiate(tick)
        if tick.skipped:
            self.nonfinite.settle(has_update=True, tick=self.tick)
        self._trigger("before_weighting")
        tick.weights = self.weigh()
        self._trigger("after_weighting")
        update = self.combine()
        if factor != 1.0:
            update *= factor
        accumulates = is_extended or has_gradients
        self.space.assign(update, tick.gradients.used, accumulate=accumulates)

    def _add_extension(self, tick: Tick) -> float:
        """Differentiate the terms that plugins have added to the mean of the losses.

        :return: factor by which plugins have multiplied the mean.
        """
        assert tick.forward_pass is not None
        tick.forward_pass.backward(self.loss.sum(), self.space.parameters)
        factor = None if tick.mean_loss is None else tick.mean_loss.grad
        return 0.0 if factor is None else float(factor)

    def _after_training(self, **kwargs: Any) -> None:
        super()._after_training(**kwargs)
        self.nonfinite.report()

    def _differentiate(self, tick: Tick) -> list[float]:
        """Gradients and Gramian; anew, with another scale, if fewer bits have overflowed.

        :return: losses of the objectives.
        """
        assert tick.forward_pass is not None
        accepted = False
        while not accepted:
            found = tick.forward_pass.gradients(
                self.precision.scaled(tick.losses),
                self.space.parameters,
                retain_graph=self.retain_graph or self.precision.scales or tick.shares_graph,
                separable=tick.separable,
            )
            self.precision.unscale(found)
            gramian = found.gramian(self.space.num_shared)
            tick.gramian, losses = fetched(gramian, tick.objective_losses)
            tick.gradients = found
            accepted = self.precision.accept(tick.gramian)
        return losses

    def weigh(self) -> Tensor:
        """Weights ``[n]`` of the objectives."""
        weights = self.weighting(self.now.gramian)
        return checked_weights(weights, self.now.objectives, self.weighting)

    def combine(self) -> Tensor:
        """Update ``[P]`` from the weights and the gradients."""
        tick = self.now
        weights = checked_weights(tick.weights, tick.objectives, self)  # of a subclass or a plugin
        return tick.gradients.combine(weights, self.space.num_shared, out=self.space.update)

    def _has_own_losses(self) -> bool:
        """Whether losses are other than the criterion of outputs and targets."""
        if self.memory_loss is not None or self.competition is not None:
            return True
        names = ("objective_loss", "label_loss")
        if any(name in vars(self) for name in names):
            return True
        own = (getattr(type(self), name) for name in names)
        ours = (MultiGradientUpdate.objective_loss, MultiGradientUpdate.label_loss)
        return any(one is not other for one, other in zip(own, ours, strict=True))

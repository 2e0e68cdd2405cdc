"""From the minibatch of a tick to one loss and one gradient per objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from avalanche.models.utils import avalanche_forward
from torch import Tensor, nn

from ..benchmarks.loader import Part
from ..optim import (
    FusedEngine,
    GradientEngine,
    ObjectiveGradients,
    PlainEngine,
    StackedGradients,
)
from ..optim.engine import Losses
from ..optim.joined import Joined
from .gradient_space import GradientSpace, Shared
from .joint_losses import is_mean_cross_entropy, mean_cross_entropies
from .precision import MixedPrecision
from .tick_template import TickTemplate

__all__ = ["ObjectiveTemplate"]

# What refers to the graphs of a tick, as it is without one.
_NO_TICK: dict[str, Any] = {
    "raw_outputs": (),
    "_outputs": (),
    "_losses": (),
    "_found": None,
    "_joined": None,
    "_mean_loss": None,
}


class ObjectiveTemplate(TickTemplate):
    """Forwards and differentiates each objective of a tick by itself.

    :param model: any module.
    :param engine: computes the gradients; chosen if omitted.
    :param shared: module or parameters over which the Gramian is taken; all if omitted.
    :param kwargs: of Avalanche's ``SupervisedTemplate``.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        engine: GradientEngine | None = None,
        shared: Shared | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(model=model, **kwargs)
        if engine is None:
            # Losses of a subclass's own may depend on more than outputs.
            engine = PlainEngine() if self._has_own("objective_loss") else FusedEngine()
        self.engine: GradientEngine = engine
        self.precision = MixedPrecision()
        self._shared = shared if shared is None or isinstance(shared, nn.Module) else list(shared)
        self.space = GradientSpace(model, self._shared)
        """The trained parameters, laid out flat; collected anew before each experience."""
        self.objectives: list[str] = []
        self.replayed: list[bool] = []
        self.objective_losses: Tensor = torch.empty(0)
        self.objective_gradients: ObjectiveGradients = StackedGradients(torch.empty(0, 0))
        self.gramian: Tensor = torch.empty(0, 0)
        self.raw_outputs: Sequence[Tensor] = []
        """Outputs of each objective before the mask, ``[b, K]``."""
        self._outputs: Sequence[Tensor] = []
        self._losses: Losses = []
        self._found: ObjectiveGradients | None = None
        # Whether going backward from one objective's output passes through the graphs of all.
        self._entangled = False
        # Whether each loss is known to depend on its objective's own outputs alone.
        self._separable = False

    @property
    def gradients(self) -> Tensor:
        """Gradients of the objectives, ``[n, P]``; laid out when first asked for."""
        return self.objective_gradients.rows

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        self.space = GradientSpace(self.model, self._shared)
        self.engine.attach(self.model)

    # Forward

    def forward(self) -> Tensor:
        """Masked outputs ``[B, K]``; in training, each objective is forwarded on its own."""
        if not self.is_training:
            output = super().forward()
            has_task_labels = len(self.mbatch) >= 3
            return self._eval_mask(output, self.mb_task_id) if has_task_labels else output
        x, t = self.mb_x, self.mb_task_id
        parts = self.mbatch.parts
        if parts[-1].stop != len(x):
            raise ValueError(
                f"`mbatch` has {len(x)} samples, of which {parts[-1].stop} belong to "
                "an objective: plugins add samples with `strategy.mbatch.append_objective(...)`."
            )
        batches = Joined((x, t), [part.stop - part.start for part in parts])
        self.objectives = [part.objective for part in parts]
        self.replayed = [part.replayed for part in parts]
        self._found, self._entangled = None, False
        self._joined = self._forward_objectives(batches)
        self._version = self._joined._version
        return self._joined

    def _forward_objectives(self, batches: Joined) -> Tensor:
        """Masked outputs ``[B, K]`` of a minibatch that is trained on."""
        if self._needs_no_graphs() and self.engine.is_separate():
            return self._one_by_one(batches)
        self.raw_outputs = self.engine.forward(self._forward_batch, batches)
        if self.engine.joined is not None:
            joined = self._class_mask(self.engine.joined, batches.whole[1])
            self._outputs = Joined(joined, batches.sizes)
            return joined
        self._outputs = [
            self._class_mask(output, labels)
            for output, (_, labels) in zip(self.raw_outputs, batches, strict=True)
        ]
        return torch.cat(self._outputs)

    def _forward_batch(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, task_labels = batch
        with self.precision.autocast(self.device):
            output = avalanche_forward(self.model, x, task_labels)
        if self.precision.precision is not None:
            output = output.to(self.space.parameters[0].dtype)
        return output

    def _needs_no_graphs(self) -> bool:
        """Whether only the engine goes backward through the outputs, and only once."""
        return not (
            self.retain_graph
            or self.precision.scales
            or any(self._has_own(name) for name in ("forward", "criterion"))
            or any(
                self._listeners.of(self.plugins, event)
                for event in ("after_forward", "before_backward")
            )
        )

    def _one_by_one(self, batches: Joined) -> Tensor:
        """Forward and differentiate one objective after the other; return detached outputs."""
        raw: list[Tensor] = []
        outputs: list[Tensor] = []
        losses: list[Tensor] = []
        self.raw_outputs = raw

        def loss_of(k: int) -> Tensor:
            output = self._forward_batch(batches[k])
            raw.append(output)
            masked = self._class_mask(output, batches[k][1])
            loss = _checked(self.objective_loss(masked, self.mbatch.parts[k]))
            raw[k] = output.detach()
            outputs.append(masked.detach())
            losses.append(loss.detach())
            return loss

        lazily = _Lazily(len(batches), loss_of)
        self._found = self.engine.gradients(lazily, self.space.parameters)
        self._outputs, self._losses = outputs, torch.stack(losses)
        return torch.cat(outputs)

    # Losses

    def criterion(self) -> Tensor:
        """Mean of the objectives' losses."""
        if not self.is_training:
            return super().criterion()
        if self._found is None:
            self._losses = self._losses_of_graphs()
        losses = self._losses
        self.objective_losses = (
            losses.detach()
            if isinstance(losses, Tensor)
            else torch.stack([loss.detach() for loss in losses])
        )
        # A leaf: its gradient says by which factor plugins have multiplied it, and going backward
        # through it does not enter the objectives' graphs.
        self._mean_loss = self.objective_losses.mean().requires_grad_()
        self._extended = self.loss.requires_grad
        return self._mean_loss

    def _losses_of_graphs(self) -> Losses:
        parts = self.mbatch.parts
        is_own = self.mb_output is self._joined and self.mb_output._version == self._version
        if not is_own or self.mb_output._backward_hooks:
            # A plugin has put its own in their place, has modified them or their gradients.
            is_own = False
            self._entangled = self.engine.joined is None
            self._outputs = [self.mb_output[p.start : p.stop] for p in parts]
        self._separable = is_own and not self._has_own("objective_loss")
        at_once = self.engine.joined is not None and not self._has_own("objective_loss")
        if at_once and not self.mb_y.is_floating_point() and is_mean_cross_entropy(self._criterion):
            sizes = [part.stop - part.start for part in parts]
            return mean_cross_entropies(self._criterion, self.mb_output, self.mb_y, sizes)
        return [
            _checked(self.objective_loss(output, part))
            for output, part in zip(self._outputs, parts, strict=True)
        ]

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Loss of one objective, a scalar.

        :param output: masked, ``[b, K]``.
        :param part: where its samples are in the minibatch.
        """
        return self._criterion(output, self.mb_y[part.start : part.stop])

    def outputs_of(self, x: Tensor, part: Part) -> Tensor:
        """Masked outputs ``[b, K]`` of the live model for an objective's samples.

        :param x: inputs ``[b, ...]`` in the place of theirs.
        :param part: where its samples are in the minibatch.
        """
        labels = self.mb_task_id[part.start : part.stop]
        return self._class_mask(self._forward_batch((x, labels)), labels)

    def loss_of(self, x: Tensor, part: Part) -> Tensor:
        """Loss of an objective with other inputs, a scalar; see :meth:`outputs_of`."""
        return self.objective_loss(self.outputs_of(x, part), part)

    # Gradients

    def _differentiate(self) -> None:
        """Gradients and Gramian; anew, with another scale, if fewer bits have overflowed."""
        accepted = False
        while not accepted:
            found = self._found
            if found is None:
                found = self.engine.gradients(
                    self.precision.scaled(self._losses),
                    self.space.parameters,
                    retain_graph=self.retain_graph or self.precision.scales or self._entangled,
                    separable=self._separable,
                )
                self.precision.unscale(found)
            # The one transfer from the device that a tick needs.
            self.gramian = found.gramian(self.space.num_shared).cpu()
            self.objective_gradients = found
            accepted = self.precision.accept(self.gramian)

    def _release_tick(self) -> None:
        super()._release_tick()
        self.engine.release()
        for name, value in _NO_TICK.items():
            setattr(self, name, value)

    def _state_between_experiences(self) -> dict[str, Any]:
        rows = StackedGradients(torch.empty(0, 0))
        state = super()._state_between_experiences()
        return {**state, **_NO_TICK, "objective_gradients": rows}

    def _has_own(self, method: str) -> bool:
        """Whether a subclass has a method of its own in place of one of these."""
        return getattr(type(self), method) is not getattr(ObjectiveTemplate, method)


def _checked(loss: Tensor) -> Tensor:
    if loss.ndim != 0:
        raise ValueError(
            f"`criterion` must return a scalar (reduction='mean'), found shape {tuple(loss.shape)}."
        )
    return loss


class _Lazily(Sequence[Tensor]):
    """Losses that are computed when they are asked for.

    :param n: how many.
    :param loss_of: from the number of an objective to its loss.
    """

    def __init__(self, n: int, loss_of: Callable[[int], Tensor]) -> None:
        self._n = n
        self._loss_of = loss_of

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        return self._loss_of(index)

    def __iter__(self) -> Iterator[Tensor]:
        return map(self._loss_of, range(self._n))

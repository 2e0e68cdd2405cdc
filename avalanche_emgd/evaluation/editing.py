"""Diagnostics of memory editing: its effect on gradients and images."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue, TensorImage
from torch import Tensor
from torchvision.utils import make_grid

from .._numbers import check_whole

__all__ = ["EditingDiagnostics", "are_images", "editing_diagnostics", "editing_grid"]

_AMPLIFIED = 10.0
_COLUMNS = 10


class EditingDiagnostics(PluginMetric[dict[str, float]]):
    """Metrics of a strategy's memory editing, emitted at each tick with a measurement.

    * ``Editing/Cosine_Before`` and ``Editing/Cosine_After``: cosine of the angle between the
      replayed gradient and the common direction, before and after the edit;
    * ``Editing/Mean_Drift`` and ``Editing/Max_Drift``: L2 distance of the images in memory from
      their originals;
    * ``Editing/Edited``: number of images edited at that tick;
    * ``Editing/Images``: a grid with originals, edited images and ten times their difference, see
      :func:`editing_grid`; only if the inputs are images.

    Strategies without memory editing have no such metrics.

    :param images_every: number of iterations between two grids of images, ≥ 1.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, images_every: int = 100) -> None:
        super().__init__()
        check_whole("images_every", images_every, 1)
        self.images_every = images_every
        self.reset()

    def reset(self) -> None:
        """Clear the last measurement."""
        self._last: dict[str, float] = {}
        self._seen = 0

    def result(self) -> dict[str, float]:
        """Return the values that were emitted last, by name."""
        return dict(self._last)

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Emit the measurement of this tick, and a grid of images every ``images_every`` ticks."""
        editing = getattr(strategy, "memory_editing", None)
        if editing is None:
            return None
        iteration = strategy.clock.train_iterations  # counted after this callback
        values: list[MetricValue] = []
        if len(editing.history) > self._seen:
            self._seen, last = len(editing.history), editing.last
            self._last = {
                "Editing/Cosine_Before": last.before,
                "Editing/Cosine_After": last.after,
                "Editing/Mean_Drift": last.mean_drift,
                "Editing/Max_Drift": last.max_drift,
                "Editing/Edited": float(last.edited),
            }
            values += [MetricValue(self, n, v, iteration) for n, v in self._last.items()]
        inputs = editing.memory.inputs
        if iteration % self.images_every == 0 and len(editing.memory) and are_images(inputs):
            grid = TensorImage(editing_grid(editing.originals, inputs))
            values.append(MetricValue(self, "Editing/Images", grid, iteration))
        return values


def editing_diagnostics(images_every: int = 100) -> list[PluginMetric]:
    """Make diagnostics of memory editing for an ``EvaluationPlugin``.

    :param images_every: number of iterations between two grids of images, ≥ 1.
    """
    return [EditingDiagnostics(images_every)]


def editing_grid(originals: Tensor, edited: Tensor) -> Tensor:
    """Make a grid of three rows: originals, edited images and their differences.

    The grid has up to ten evenly spread images. All rows have the scale of the originals. The
    third row shows ten times the differences, added to grey.

    :param originals: images ``[n, C, H, W]``, C = 1 or 3, n ≥ 1.
    :param edited: edited images, of the same shape.
    :return: grid ``[3, H′, W′]`` in [0, 1].
    :raises ValueError: if the arguments are not images of the same shape.
    """
    if not are_images(originals) or originals.shape != edited.shape or len(originals) == 0:
        raise ValueError(
            "`originals` and `edited` must be images [n, C, H, W] of the same shape with C = 1 or "
            f"3, found {tuple(originals.shape)} and {tuple(edited.shape)}."
        )
    columns = min(_COLUMNS, len(originals))
    chosen = torch.linspace(0, len(originals) - 1, columns).round().long()
    before, after = originals[chosen].float(), edited[chosen].float()
    low = before.amin(dim=(0, 2, 3), keepdim=True)
    span = (before.amax(dim=(0, 2, 3), keepdim=True) - low).clamp(min=1e-12)
    shown = torch.cat(
        [(before - low) / span, (after - low) / span, 0.5 + _AMPLIFIED * (after - before) / span]
    )
    return make_grid(shown.clamp(0.0, 1.0), nrow=columns, padding=1, pad_value=1.0)


def are_images(inputs: Tensor) -> bool:
    """Whether inputs ``[n, ...]`` have the shape of images with one or three channels."""
    return inputs.ndim == 4 and inputs.shape[1] in (1, 3)

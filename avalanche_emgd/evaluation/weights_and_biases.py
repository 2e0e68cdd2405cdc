"""Weights & Biases, by the public names of its present package."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from avalanche.evaluation.metric_results import AlternativeValues, MetricValue, TensorImage
from avalanche.logging import WandBLogger as AvalancheWandBLogger
from matplotlib.figure import Figure
from PIL.Image import Image
from torch import Tensor

__all__ = ["WandBLogger"]

_STEP = "iteration"


class WandBLogger(AvalancheWandBLogger):
    """Avalanche's ``WandBLogger`` for present versions of the package ``wandb``.

    Avalanche 0.6's logger calls ``wandb.util.generate_id`` and ``wandb.viz.CustomChart``, which
    ``wandb`` no longer has, and ends with an AttributeError before training starts. This one needs
    ``init``, ``run``, ``Image``, ``Histogram``, ``Artifact`` and ``plot.CustomChart`` only, and is
    tested with ``wandb`` 0.19.11 and 0.31.0.

    Values of one iteration are one entry of the run's history. The iteration is the axis of every
    chart: an evaluation that repeats an iteration adds an entry, where Avalanche's logger has it
    dropped by ``wandb``. Numbers of NumPy and tensors of one element are numbers, other tensors
    histograms, figures images.

    Takes the parameters of Avalanche's; ``params`` are arguments of ``wandb.init``, as in
    ``params={"mode": "offline"}``.
    """

    def before_run(self) -> None:
        """Start the run, or take it up again after a copy or a checkpoint."""
        if self.wandb is None:
            self.import_wandb()
        arguments: dict[str, Any] = self.init_kwargs
        self.run = self.wandb.init(**arguments)
        # A logger that is loaded from a file goes on with the same run.
        arguments["id"] = self.run.id
        self.run.define_metric(_STEP)
        self.run.define_metric("*", step_metric=_STEP)

    def log_metrics(self, metric_values: list[MetricValue]) -> None:
        """Write what the metrics have emitted."""
        entries: dict[int, dict[str, Any]] = defaultdict(dict)
        for each in metric_values:
            if each.name.startswith("WeightCheckpoint"):
                self.log_single_metric(each.name, each.value, each.x_plot)
                continue
            value = self._shown(each.value)
            if value is not None:
                entries[each.x_plot][each.name] = value
        for step in sorted(entries):
            self.step = step
            self.run.log({**entries[step], _STEP: step})

    def log_single_metric(self, name: str, value: Any, x_plot: int) -> None:
        """Write one value."""
        if not name.startswith("WeightCheckpoint"):
            self.log_metrics([MetricValue(self, name, value, x_plot)])
        elif self.log_artifacts:
            self._log_checkpoint(name, value, x_plot)

    def after_training_exp(
        self, strategy: Any, metric_values: list[MetricValue], **kwargs: Any
    ) -> None:
        """Count the experiences; their metrics have been written."""
        self.run.log({"TrainingExperience": self.exp_count, _STEP: self.step})
        self.exp_count += 1

    def _shown(self, value: Any) -> Any:
        """Convert a value to what ``wandb`` takes; to ``None`` if it takes nothing like it."""
        if isinstance(value, AlternativeValues):
            value = value.best_supported_value(
                Image, Tensor, TensorImage, Figure, float, int, self.wandb.plot.CustomChart
            )
        if isinstance(value, Image | Figure):  # by itself, a figure needs plotly
            return self.wandb.Image(value)
        if isinstance(value, TensorImage):
            return self.wandb.Image(np.asarray(value))
        if isinstance(value, Tensor) and value.numel() != 1:
            counts = np.histogram(value.detach().cpu().float().flatten().numpy())
            return self.wandb.Histogram(np_histogram=counts)
        if isinstance(value, Tensor | np.generic):
            return value.item()
        return value if isinstance(value, float | int | self.wandb.plot.CustomChart) else None

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("run", None)
        return state

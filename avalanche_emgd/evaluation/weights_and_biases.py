"""Logger for Weights & Biases that uses only public names of the current ``wandb`` package."""

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
    """Avalanche's ``WandBLogger`` for current versions of the package ``wandb``.

    Avalanche 0.6's logger calls ``wandb.util.generate_id`` and ``wandb.viz.CustomChart``. Current
    versions of ``wandb`` lack both, so that logger raises an AttributeError before training. This
    logger needs only ``init``, ``run``, ``Image``, ``Histogram``, ``Artifact`` and
    ``plot.CustomChart``. It is tested with ``wandb`` 0.19.11 and 0.31.0.

    The values of one iteration form one entry of the run's history. The iteration is the x-axis of
    every chart. An evaluation that repeats an iteration adds an entry; with Avalanche's logger,
    ``wandb`` drops this entry. NumPy numbers and tensors of one element are logged as numbers,
    other tensors as histograms, and figures as images.

    The parameters are those of Avalanche's ``WandBLogger``; ``params`` are arguments of
    ``wandb.init``, for example ``params={"mode": "offline"}``.
    """

    def before_run(self) -> None:
        """Start the run, or resume it after a copy or a checkpoint."""
        if self.wandb is None:
            self.import_wandb()
        arguments: dict[str, Any] = self.init_kwargs
        self.run = self.wandb.init(**arguments)
        # The identifier lets a logger that is loaded from a file continue the same run.
        arguments["id"] = self.run.id
        self.run.define_metric(_STEP)
        self.run.define_metric("*", step_metric=_STEP)

    def log_metrics(self, metric_values: list[MetricValue]) -> None:
        """Write the values of metrics.

        :param metric_values: values of one callback.
        """
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
        """Log the number of the experience; its metrics have been written."""
        self.run.log({"TrainingExperience": self.exp_count, _STEP: self.step})
        self.exp_count += 1

    def _shown(self, value: Any) -> Any:
        """Convert a value into a type that ``wandb`` accepts; ``None`` if there is no such type."""
        if isinstance(value, AlternativeValues):
            value = value.best_supported_value(
                Image, Tensor, TensorImage, Figure, float, int, self.wandb.plot.CustomChart
            )
        if isinstance(value, Image | Figure):  # without conversion, a figure needs plotly
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

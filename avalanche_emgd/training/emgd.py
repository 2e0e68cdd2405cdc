"""EMGD: elastic multi-gradient descent for parallel continual learning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from avalanche.core import BasePlugin
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.plugins.evaluation import default_evaluator
from torch import Tensor, nn
from torch.optim import Optimizer

from ..gradients import GradientEngine
from ..optim import EMGDWeighting
from ..optim.elastic import ElasticSpec
from .arguments import check_plugins
from .editing import EditingSpec
from .gradient_space import Shared
from .plugins import ElasticFactorPlugin, MemoryObjectives, SetupWatchPlugin
from .precision import Precision
from .templates import MultiGradientTemplate

__all__ = ["EMGDStrategy"]


class EMGDStrategy(MultiGradientTemplate):
    """Elastic multi-gradient descent (arXiv 2401.01054).

    Each active task and the replay memory gives one gradient per tick; elastic factors say how much
    each is relaxed; the dual quadratic program gives the weights of their common descent.

    .. code-block:: python

        benchmark = ps_digits()
        model = MLP(benchmark.num_classes, in_features=64)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
        strategy = EMGDStrategy(model, optimizer=optimizer, memory_size=50)
        strategy.train(benchmark.train_stream)

    :param model: any module; the only positional argument.
    :param optimizer: of the model's parameters.
    :param criterion: loss of outputs and targets of one objective; cross-entropy if omitted.
    :param elastic: rule for the elastic factors: ``"gmc"``, ``"gs"``, ``"mgda"``, ``"egda"``, an
        :class:`~avalanche_emgd.optim.ElasticFactor` or a callable
        ``(gramian, objectives) -> sigma``.
    :param memory_size: capacity of the replay memory in samples; 0 for none. If omitted, none,
        with a warning.
    :param memory_objectives: ``"one"`` (the memory is one objective) or ``"per-task"`` (each
        finished task is one).
    :param memory_editing: edits the replayed images along the common direction:
        :class:`~avalanche_emgd.training.editing.MemoryEditing`, a mapping of some of its settings,
        or the name of a rule; off if omitted.
    :param shared: module or parameters over which the Gramian is taken; all if omitted.
    :param engine: computes the gradients; one pass for all objectives, where that is the same.
    :param precision: ``"bfloat16"`` or ``"float16"``: forward passes in fewer bits.

    The other parameters are those of :class:`MultiGradientTemplate`.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        criterion: Any = None,
        elastic: ElasticSpec = "gmc",
        memory_size: int | None = None,
        memory_objectives: MemoryObjectives = "one",
        memory_editing: EditingSpec | None = None,
        shared: Shared | None = None,
        engine: GradientEngine | None = None,
        precision: Precision | None = None,
        train_mb_size: int | None = None,
        train_epochs: int = 1,
        eval_mb_size: int = 512,
        seed: int = 0,
        device: str | torch.device = "cpu",
        plugins: Sequence[BasePlugin] | None = None,
        evaluator: EvaluationPlugin | Callable[[], EvaluationPlugin] | None = default_evaluator,
        eval_every: int = -1,
        peval_mode: str = "epoch",
    ) -> None:
        check_plugins(plugins)
        if memory_size is None:
            warnings.warn(
                "EMGDStrategy has no replay memory, so that nothing keeps finished tasks from "
                "being forgotten: give `memory_size`, or 0 to have none.",
                stacklevel=2,
            )
        weighting = EMGDWeighting(elastic)
        self.elastic_factors = ElasticFactorPlugin(weighting)
        """Plugin that keeps the elastic factors."""
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=weighting,
            criterion=criterion,
            memory_size=0 if memory_size is None else memory_size,
            memory_objectives=memory_objectives,
            memory_editing=memory_editing,
            shared=shared,
            engine=engine,
            precision=precision,
            train_mb_size=train_mb_size,
            train_epochs=train_epochs,
            eval_mb_size=eval_mb_size,
            seed=seed,
            device=device,
            plugins=[self.elastic_factors, SetupWatchPlugin(), *(plugins or [])],
            evaluator=evaluator,
            eval_every=eval_every,
            peval_mode=peval_mode,
        )

    @property
    def sigma(self) -> Tensor | None:
        """Elastic factors of the last tick, ``[n]``, in the order of ``objectives``."""
        return self.elastic_factors.sigma

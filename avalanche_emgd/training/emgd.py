"""EMGD: elastic multi-gradient descent for parallel continual learning."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor, nn
from torch.nn import CrossEntropyLoss
from torch.optim import Optimizer
from typing_extensions import Self, Unpack

from ..optim import GMC, EMGDWeighting
from ..optim.elastic import ElasticSpec
from .arguments import check_plugins
from .options import StrategyOptions
from .plugins import ElasticFactorPlugin, SetupWatchPlugin
from .templates import MultiGradientTemplate

__all__ = ["EMGDStrategy"]


class EMGDStrategy(MultiGradientTemplate):
    """Elastic multi-gradient descent (arXiv 2401.01054).

    At each tick, each active task and the replay memory give one gradient. Elastic factors
    determine how far each objective is relaxed. The dual quadratic program gives the weights of a
    common descent direction.

    .. code-block:: python

        benchmark = ps_digits()
        model = MLP(benchmark.num_classes, in_features=64)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
        strategy = EMGDStrategy(model, optimizer=optimizer, memory_size=50)
        strategy.train(benchmark.train_stream)

    :param model: any module; the only positional argument.
    :param optimizer: optimizer of the model's parameters.
    :param elastic: rule for the elastic factors: ``"gmc"``, ``"gs"``, ``"mgda"``, ``"egda"``, an
        :class:`~avalanche_emgd.optim.ElasticFactor` or a callable
        ``(gramian, objectives) -> sigma``.

    The other parameters are those of :class:`StrategyOptions`. Without ``memory_size`` the strategy
    warns that it has no replay memory. :meth:`recommended` chooses them all.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        elastic: ElasticSpec = "gmc",
        **options: Unpack[StrategyOptions],
    ) -> None:
        plugins = options.get("plugins")
        check_plugins(plugins)
        if options.get("memory_size") is None:
            warnings.warn(
                "EMGDStrategy has no replay memory, so it forgets finished tasks: give "
                "`memory_size`, or 0 for no memory.",
                stacklevel=2,
            )
        weighting = EMGDWeighting(elastic)
        self.elastic_factors = ElasticFactorPlugin(weighting)
        """Plugin with the elastic factors."""
        options["plugins"] = [self.elastic_factors, SetupWatchPlugin(), *(plugins or [])]
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=weighting,
            **options,
        )

    @classmethod
    def recommended(
        cls,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        elastic: ElasticSpec | None = None,
        **options: Unpack[StrategyOptions],
    ) -> Self:
        """EMGD with the ingredients that have done best with it, the method ``emgd++``.

        Elastic factors are ``GMC(exponent=1.0, decay=0.0, lower_bound=0.0)``. Each finished task is
        an objective, with ``memory_loss="stored-probabilities"`` and, for the current tasks,
        ``competition=0.5``. Tests use the average of the weights. With a criterion other than the
        cross-entropy of class labels, or one with label smoothing, all classes compete alike, and
        ``memory_loss`` is ``"stored-logits"``.

        :param model: model, see :class:`EMGDStrategy`.
        :param optimizer: optimizer, see :class:`EMGDStrategy`.
        :param elastic: rule for the elastic factors in place of the recommended one.

        The other parameters are those of :class:`StrategyOptions`; one that is given wins.
        """
        of_classes = _takes_masked_logits(options.get("criterion"))
        chosen: Any = {
            "memory_objectives": "per-task",
            "memory_loss": "stored-probabilities" if of_classes else "stored-logits",
            "competition": 0.5 if of_classes else 0.0,
            "tested_weights": "average",
            **options,
        }
        if elastic is None:
            elastic = GMC(exponent=1.0, decay=0.0, lower_bound=0.0)
        return cls(model, optimizer=optimizer, elastic=elastic, **chosen)

    @property
    def sigma(self) -> Tensor | None:
        """Elastic factors of the last tick, ``[n]``, in the order of ``objectives``."""
        return self.elastic_factors.sigma


def _takes_masked_logits(criterion: Any) -> bool:
    """Whether classes whose logits are masked have no share in a loss."""
    return criterion is None or (
        isinstance(criterion, CrossEntropyLoss) and criterion.label_smoothing == 0.0
    )

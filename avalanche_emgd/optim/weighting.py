"""EMGD as a TorchJD weighting and aggregator, usable without Avalanche."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from torch import Tensor
from torchjd import Stateful
from torchjd.aggregation import GramianWeightedAggregator

from ..gradients.gramian import gramian_of
from .checks import without_negligible
from .dual import DualSolution, solve_dual
from .elastic import ElasticSpec, make_elastic_factor
from .factors import ElasticFactor
from .objectives import ObjectiveWeighting

__all__ = ["EMGD", "EMGDWeighting"]

# Below it, squares lose digits.
_LEAST = 1e-290


class EMGDWeighting(ObjectiveWeighting):
    r"""Elastic multi-gradient descent: weights λ of n gradients from their Gramian.

    The elastic factors σ come from a rule (GMC, GS, ...) that may remember each objective; the
    weights solve :func:`~avalanche_emgd.optim.solve_dual`. ``weights @ jacobian`` is the gradient
    to descend along, −d in the notation of arXiv 2401.01054.

    An objective whose gradient is shorter than 1e-12 of the longest counts as one without gradient.
    It has converged, and some rules would scale its rounding errors up to full size.

    :param elastic: rule for the elastic factors, ``"gmc"``, ``"gs"``, ``"mgda"``, ``"egda"``, an
        :class:`~avalanche_emgd.optim.ElasticFactor` or a callable ``(gramian, objectives) ->
        sigma``.
    """

    def __init__(self, elastic: ElasticSpec = "gmc") -> None:
        super().__init__()
        self.elastic: ElasticFactor = make_elastic_factor(elastic)
        self.sigma: Tensor | None = None
        """Elastic factors of the last call, ``[n]`` float64."""
        self.solution: DualSolution | None = None
        """Solution of the last call."""

    def _weights(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        significant = without_negligible(gramian)
        self.sigma = self.elastic(significant, objectives)
        self.solution = solve_dual(
            significant,
            self.sigma,
            lower_bound=self.elastic.lower_bound(len(gramian)),
            objectives=objectives,
        )
        return self.solution.weights

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop the elastic factors' state of objectives that do not return."""
        self.elastic.forget(objectives)

    def reset(self) -> None:
        """Forget all objectives."""
        super().reset()
        self.elastic.reset()
        self.sigma, self.solution = None, None

    def get_extra_state(self) -> dict[str, Any]:
        """State of the elastic factors, for ``state_dict``."""
        return self.elastic.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the state of the elastic factors, for ``load_state_dict``."""
        self.elastic.load_state_dict(state)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.elastic!r})"


class EMGD(GramianWeightedAggregator, Stateful):
    """TorchJD aggregator of elastic multi-gradient descent (arXiv 2401.01054).

    Combines the rows of a Jacobian with the weights of :class:`EMGDWeighting`, whose Gramian it
    accumulates in float64. Stateful: call :meth:`reset` before another training run.

    :param elastic: rule for the elastic factors as in :class:`EMGDWeighting`.
    """

    gramian_weighting: EMGDWeighting

    def __init__(self, elastic: ElasticSpec = "gmc") -> None:
        super().__init__(EMGDWeighting(elastic))

    def forward(self, matrix: Tensor, /) -> Tensor:
        """Combine the rows of ``matrix`` ``[n, P]`` into the vector ``[P]`` to descend along.

        :raises ValueError: if there are no rows, or they are not of a floating dtype.
        :raises ArithmeticError: if float64 cannot hold the squares of the rows.
        """
        if len(matrix) == 0 or not matrix.is_floating_point():
            raise ValueError(
                f"`matrix` must have at least one row of a floating dtype, found "
                f"{tuple(matrix.shape)} of {matrix.dtype}."
            )
        gramian = gramian_of(matrix)
        if float(gramian.diagonal().max()) < _LEAST and bool((matrix != 0.0).any()):
            raise ArithmeticError(
                f"`matrix` has a longest entry of {float(matrix.abs().max()):.1e}, whose square "
                "float64 cannot hold: scale the losses up."
            )
        weights = self.gramian_weighting(gramian)
        return weights.to(device=matrix.device, dtype=matrix.dtype) @ matrix

    def set_objectives(self, objectives: Sequence[Hashable] | None) -> None:
        """Say which objective each row of the next Jacobian is."""
        self.gramian_weighting.set_objectives(objectives)

    def reset(self) -> None:
        """Forget all objectives."""
        self.gramian_weighting.reset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.gramian_weighting.elastic!r})"

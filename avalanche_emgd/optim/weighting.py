"""EMGD as a TorchJD weighting and aggregator, usable without Avalanche."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchjd import Stateful
from torchjd.aggregation import GramianWeightedAggregator, Weighting

from .dual import DualSolution, solve_dual
from .factors import ElasticFactor, ElasticSpec, make_elastic_factor
from .gramian import check_finite, gramian_of

__all__ = ["EMGD", "EMGDWeighting"]

# Of the longest gradient; anything shorter counts as zero.
_NEGLIGIBLE = 1e-12


class EMGDWeighting(Weighting[Tensor], Stateful):
    r"""Elastic multi-gradient descent: weights λ of n gradients from their Gramian.

    The elastic factors σ come from a rule (GMC, GS, ...) that may remember each objective; the
    weights solve :func:`~avalanche_emgd.optim.solve_dual`. ``weights @ jacobian`` is the gradient
    to descend along, −d in the notation of arXiv 2401.01054. Weights come back in the dtype and on
    the device of the Gramian; they are computed in float64 on the CPU, constants to autograd.

    An objective whose gradient is shorter than 1e-12 of the longest counts as having none: it has
    converged, and some rules would otherwise blow its rounding errors up to full size.

    TorchJD has no notion of which objective a row is. Where the set of objectives changes between
    calls, name them with :meth:`set_objectives` before each call; otherwise a row is identified by
    its index.

    :param elastic: ``"gmc"``, ``"gs"``, ``"mgda"``, ``"egda"``, an
        :class:`~avalanche_emgd.optim.ElasticFactor` or a callable
        ``(gramian, objectives) -> sigma``.
    """

    def __init__(self, elastic: ElasticSpec = "gmc") -> None:
        super().__init__()
        self.elastic: ElasticFactor = make_elastic_factor(elastic)
        self.sigma: Tensor | None = None
        """Elastic factors of the last call, ``[n]`` float64."""
        self.solution: DualSolution | None = None
        """Solution of the last call."""
        self._objectives: list[Hashable] | None = None

    def set_objectives(self, objectives: Sequence[Hashable] | None) -> None:
        """Say which objective each row of the next Gramian is; ``None`` goes back to indices."""
        self._objectives = None if objectives is None else list(objectives)

    @torch.no_grad()
    def forward(self, gramian: Tensor, /) -> Tensor:
        """Weights λ ``[n]`` for the Gramian ``[n, n]``.

        :raises ValueError: if the Gramian is not finite (the error names the objective) or its size
            differs from the number of objectives set.
        """
        objectives = self._objectives
        if objectives is None:
            objectives = list(range(len(gramian)))
        # Before the factors see it: a NaN must not get into their moving averages.
        check_finite(gramian, objectives)
        significant = _without_negligible(gramian)
        self.sigma = self.elastic(significant, objectives)
        self.solution = solve_dual(
            significant,
            self.sigma,
            lower_bound=self.elastic.lower_bound(len(gramian)),
            objectives=objectives,
        )
        return self.solution.weights.to(device=gramian.device, dtype=gramian.dtype)

    def reset(self) -> None:
        """Forget all objectives."""
        self.elastic.reset()
        self.sigma, self.solution, self._objectives = None, None, None

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

    :param elastic: as in :class:`EMGDWeighting`.
    """

    gramian_weighting: EMGDWeighting

    def __init__(self, elastic: ElasticSpec = "gmc") -> None:
        super().__init__(EMGDWeighting(elastic))

    def forward(self, matrix: Tensor, /) -> Tensor:
        """Combine the rows of ``matrix`` ``[n, P]`` into the vector ``[P]`` to descend along.

        :raises ValueError: if there are no rows, or they are not of a floating dtype.
        """
        if len(matrix) == 0 or not matrix.is_floating_point():
            raise ValueError(
                f"`matrix` must have at least one row of a floating dtype, found "
                f"{tuple(matrix.shape)} of {matrix.dtype}."
            )
        weights = self.gramian_weighting(gramian_of(matrix))
        return weights.to(device=matrix.device, dtype=matrix.dtype) @ matrix

    def set_objectives(self, objectives: Sequence[Hashable] | None) -> None:
        """Say which objective each row of the next Jacobian is."""
        self.gramian_weighting.set_objectives(objectives)

    def reset(self) -> None:
        """Forget all objectives."""
        self.gramian_weighting.reset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.gramian_weighting.elastic!r})"


def _without_negligible(gramian: Tensor) -> Tensor:
    squares = gramian.diagonal()
    kept = (squares > _NEGLIGIBLE**2 * squares.max()).to(gramian.dtype)
    return gramian * kept[:, None] * kept[None, :]

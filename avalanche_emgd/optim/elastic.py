"""Elastic factors of the user's own, and the choice of a rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import torch
from torch import Tensor

from .factors import EGDA, GMC, GS, Constant, ElasticFactor

__all__ = ["CustomFactor", "ElasticSpec", "make_elastic_factor"]

# Float64 holds the sum of the inverses of numbers above it.
_LEAST = 1e-290


class CustomFactor(ElasticFactor):
    """A rule of the user's.

    :param rule: function ``rule(gramian, objectives) -> sigma`` with the Gramian ``[n, n]`` in
        float64 on the CPU and σ ``[n]`` in (0, ∞]; its scale does not matter.
    :param lower_bound: lower bound, see :class:`ElasticFactor`.
    """

    def __init__(
        self, rule: Callable[[Tensor, Sequence[Hashable]], Tensor], lower_bound: float = 0.0
    ) -> None:
        super().__init__(lower_bound)
        self.rule = rule

    def _inverse(self, gramian: Tensor, objectives: Sequence[Hashable]) -> list[float]:
        sigma = torch.as_tensor(self.rule(gramian, objectives), dtype=torch.float64).cpu()
        if sigma.shape != (len(objectives),) or not bool((sigma > 0.0).all()):
            raise ValueError(
                f"`elastic` must return {len(objectives)} positive factors, found "
                f"{sigma.tolist()!r} for objectives {list(objectives)!r}."
            )
        least = float(sigma.min())
        if least == math.inf:
            raise ValueError(
                f"`elastic` must return at least one finite factor, found only inf for objectives "
                f"{list(objectives)!r}."
            )
        # In their own units where float64 could not hold the sum of the inverses.
        unit = 1.0 if least > _LEAST else least
        return [unit / each for each in sigma.tolist()]

    def __repr__(self) -> str:
        return f"CustomFactor({self.rule!r}, lower_bound={self._lower_bound})"


ElasticName = Literal["gmc", "gs", "mgda", "egda"]
ElasticSpec = ElasticName | ElasticFactor | Callable[[Tensor, Sequence[Hashable]], Tensor]

_BY_NAME: dict[str, type[ElasticFactor]] = {"gmc": GMC, "gs": GS, "mgda": Constant, "egda": EGDA}


def make_elastic_factor(elastic: ElasticSpec) -> ElasticFactor:
    """Turn a name, a rule or a callable into a rule.

    :param elastic: rule for the elastic factors, ``"gmc"``, ``"gs"``, ``"mgda"`` (σ = 1),
        ``"egda"``, an :class:`ElasticFactor` or a callable as in :class:`CustomFactor`.
    :raises ValueError: for an unknown name.
    :raises TypeError: for anything else.
    """
    if isinstance(elastic, ElasticFactor):
        return elastic
    if isinstance(elastic, str):
        if elastic not in _BY_NAME:
            raise ValueError(f"`elastic` must be one of {sorted(_BY_NAME)}, found {elastic!r}.")
        return _BY_NAME[elastic]()
    if isinstance(elastic, type):
        raise TypeError(
            f"`elastic` must be an object, found the class {elastic.__name__}: call it, as in "
            f"elastic={elastic.__name__}()."
        )
    if callable(elastic):
        return CustomFactor(elastic)
    raise TypeError(
        f"`elastic` must be a name, an ElasticFactor or a callable, found {type(elastic).__name__}."
    )

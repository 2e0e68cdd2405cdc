"""Comparison of the gradients of a joint pass with expected ones, objective by objective."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from .._text_files import first_line
from .agreement import (
    FLOOR,
    KINKS,
    are_small,
    distances,
    floors_of,
    lengths_of,
    seen_of,
    ways_agree,
)
from .joint_forward import UntrustedError
from .layer_gradient import LayerGradient
from .single_rows import SingleRows

__all__ = ["RowComparison"]


class RowComparison:
    """Compares the gradient of one objective after the other, parameter by parameter.

    :param found: gradients of layers by a joint pass, for each call.
    :param n: number of objectives.
    :param parameters: parameters by which gradients are compared.
    :param tolerance: rounding relative to a gradient.
    """

    def __init__(
        self,
        found: Sequence[LayerGradient | None],
        n: int,
        parameters: Sequence[Tensor],
        tolerance: float,
    ) -> None:
        self._found, self._parameters, self._tolerance = found, parameters, tolerance
        self._rows = SingleRows(found, parameters)
        terms = floors_of(found, n, parameters)
        self._floors = [[FLOOR * each[k] for each in terms] for k in range(n)]
        self._telling = [False] * len(parameters)

    def compare(
        self, k: int, expected: Sequence[Tensor], again: Callable[[], Sequence[Tensor]]
    ) -> bool:
        """Compare the gradients of objective ``k``; ``False`` if the expected are not finite.

        :param expected: flat gradients by each parameter.
        :param again: computes those of objective ``k`` by another joint pass.
        :raises UntrustedError: if they differ.
        """
        norms, floors = lengths_of(expected), self._floors[k]
        if not all(map(math.isfinite, norms)):
            return False
        try:
            row = self._rows.row(k)
        except RuntimeError as error:
            raise UntrustedError(f"its joint gradients fail: {first_line(error)}") from error
        errors = distances(row, expected)
        if not are_small(errors, norms, floors, self._tolerance):
            own = None
            if math.hypot(*errors) <= KINKS * math.hypot(*norms):
                # A unit at its kink may be on one side in one pass and on the other side in
                # another, as they round. Then the gradient must be right for its own pass.
                own = again()
            if own is None or not are_small(
                distances(row, own), lengths_of(own), floors, self._tolerance
            ):
                raise UntrustedError("its gradients differ from those of separate passes")
        self._telling = [
            before or norm > self._tolerance * least > 0.0
            for before, norm, least in zip(self._telling, norms, floors, strict=True)
        ]
        return True

    def seen(self) -> list[bool]:
        """For each call, whether gradients that are not zero have been compared.

        :raises UntrustedError: if gradients of all objectives at once are not the same.
        """
        if not all(ways_agree(each, self._tolerance) for each in self._found if each is not None):
            raise UntrustedError("its gradients differ from those of separate passes")
        compared = {
            id(p)
            for p, is_telling in zip(self._parameters, self._telling, strict=True)
            if is_telling
        }
        return seen_of(self._found, self._parameters, compared)

"""The elastic dual: which weights combine n gradients into one Pareto-descent direction.

One method after the other proposes weights, until the KKT residual of one proposal is within the
tolerance. A few objectives are solved in Python's numbers, many in arrays by active-set methods;
an interior-point method is the last one, general and slow.
"""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .kkt import kkt_residual
    from .solution import DualSolution
    from .solve import solve_dual

__all__ = ["DualSolution", "kkt_residual", "solve_dual"]

make_lazy(__name__)

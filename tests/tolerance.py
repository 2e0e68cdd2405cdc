"""How far apart rounding may bring two computations of the same number.

A bound of a test is one of three:

- :func:`tolerance`, from the dtype's epsilon and the number of terms that are summed;
- zero, where a comment or the name of the test says why: the same operations on the same shapes in
  the same order give the same bits on one machine, and sums of small integers are exact;
- the solver's own setting, where an iteration stops at it.

The defaults of ``torch.testing.assert_close`` are the first for numbers of order one and up to a
hundred terms: 1e-5 in float32, and far more than needed in float64.

``EMGD_TEST_ROUNDING=1 python -m pytest`` tells whether the bounds suffice for other processors; see
:mod:`tests.rounding`.
"""

import math

import torch


def tolerance(dtype: torch.dtype, terms: int, scale: float = 1.0) -> float:
    """Bound of the difference between two computations of Σ a_i b_i, in whatever order.

    The error of one is at most λ √terms u Σ |a_i b_i|, u = ε/2, but for a probability of
    2 terms exp(−λ²/2), which is below 1e-8 for λ = 8 and up to 10,000 terms (Higham and Mary,
    2019). Two of them make it λ √terms ε.

    :param terms: number of products in the longest sum; of sums of sums, their lengths together.
    :param scale: Σ |a_i b_i|, or a bound of it, such as the product of the lengths of the vectors.
    """
    return 8.0 * math.sqrt(terms) * torch.finfo(dtype).eps * scale


def assert_near(
    found: torch.Tensor, expected: torch.Tensor, terms: int, least: float = 0.0
) -> None:
    """All entries agree within the tolerance of the largest expected one.

    :param terms: see :func:`tolerance`.
    :param least: scale of what is summed, where all that is left of it may be small.
    """
    scale = max(least, float(expected.detach().abs().max()) if expected.numel() else 0.0)
    bound = tolerance(expected.dtype, terms, scale)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=bound)

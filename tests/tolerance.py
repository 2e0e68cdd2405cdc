"""Bounds on the difference of two computations of the same number by rounding.

A bound of a test is one of three:

- :func:`tolerance`, from the dtype's epsilon and the number of terms that are summed;
- zero, where a comment or the name of the test says why: the same operations on the same shapes in
  the same order give the same bits on one machine, and sums of small integers are exact;
- the solver's own setting, where an iteration stops at it.

For numbers of order one and up to a hundred terms, the defaults of ``torch.testing.assert_close``
are bounds of the first kind: 1e-5 in float32, and far more than needed in float64.

``EMGD_TEST_ROUNDING=1 python -m pytest`` checks the bounds for other processors; see
:mod:`tests.rounding`.
"""

import math

import torch


def tolerance(dtype: torch.dtype, terms: int, scale: float = 1.0) -> float:
    """Bound the difference between two computations of Σ a_i b_i, in any order.

    The error of one computation is at most λ √terms u Σ |a_i b_i|, u = ε/2, except with probability
    2 terms exp(−λ²/2). This is below 1e-8 for λ = 8 and up to 10,000 terms (Higham and Mary, 2019).
    The difference of two computations is therefore at most λ √terms ε Σ |a_i b_i|.

    :param dtype: floating-point type of the computations.
    :param terms: number of products in the longest sum; for nested sums, the sum of their lengths.
    :param scale: Σ |a_i b_i|, or an upper bound, such as the product of the vectors' lengths.
    """
    return 8.0 * math.sqrt(terms) * torch.finfo(dtype).eps * scale


def assert_near(
    found: torch.Tensor, expected: torch.Tensor, terms: int, least: float = 0.0
) -> None:
    """Check that all entries agree within the tolerance of the largest expected entry.

    :param found: computed tensor.
    :param expected: expected tensor, of the same shape.
    :param terms: number of terms, as in :func:`tolerance`.
    :param least: lower bound of the scale, for sums that cancel.
    """
    scale = max(least, float(expected.detach().abs().max()) if expected.numel() else 0.0)
    bound = tolerance(expected.dtype, terms, scale)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=bound)

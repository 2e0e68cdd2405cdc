"""Random and hostile Gramians for the dual, and the outcome that each must have."""

from __future__ import annotations

import math

import numpy as np
import torch

from avalanche_emgd.optim import kkt_residual, solve_dual
from avalanche_emgd.optim.dual.kkt import TOLERANCE

KINDS = (
    *("plain", "cone", "deficient", "identical", "opposite", "near", "zero", "scales", "single"),
    *("not finite", "asymmetric", "indefinite"),
)
VALID = KINDS[:-3]
MOST = 20
SMALLEST = float(np.finfo(np.float64).tiny)  # below it, numbers have few digits
LARGEST_RATIO = float(np.finfo(np.float64).eps) ** -2  # of two squared norms


def draw(rng: np.random.Generator, kind: str) -> torch.Tensor:
    """Draw a Gramian ``[n, n]`` with 1 ≤ n ≤ 20, at a scale from 1e-300 to 1e300.

    :param kind: one of :data:`KINDS`; those after :data:`VALID` are no Gramians.
    """
    n = int(rng.integers(2 if kind == "asymmetric" else 1, MOST + 1))
    width = 1 if kind == "deficient" and rng.random() < 0.3 else int(rng.integers(1, 2 * n + 2))
    if kind == "deficient":
        width = min(width, max(1, n // 2))
    rows = rng.standard_normal((n, width))
    if kind == "cone":
        rows += 2.0
    elif kind == "identical":
        rows[rng.integers(n, size=n)] = rows[0]
    elif kind == "opposite" and n > 1:
        rows[1] = -rows[0] * rng.choice([1.0, 1.0 + 1e-15, 1.0 - 1e-9, rng.uniform(0.1, 10.0)])
        rows[1] += 10.0 ** rng.uniform(-17, -6) * rng.standard_normal(width)
    elif kind == "near":
        rows[1:] = rows[0] + 10.0 ** rng.uniform(-16, -3) * rows[1:]
    elif kind == "zero":
        rows[rng.random(n) < rng.choice([0.3, 1.0])] = 0.0
    elif kind == "scales":
        rows *= 10.0 ** rng.uniform(-15, 15, size=(n, 1))
    gramian = rows @ rows.T
    largest = max(float(np.abs(gramian).max()), 1e-300)
    gramian = gramian / largest
    if kind == "single":
        found = torch.from_numpy(gramian).to(rng.choice([torch.float32, torch.bfloat16]))  # type: ignore[arg-type]
        return found * 10.0 ** rng.uniform(-20, 20)
    gramian = gramian * 10.0 ** (rng.uniform(-300, 300) if rng.random() < 0.5 else 0.0)
    i, j = rng.integers(n, size=2)
    if kind == "not finite":
        gramian[i, j] = gramian[j, i] = rng.choice([math.nan, math.inf, -math.inf])
    elif kind == "asymmetric":
        gramian[0, 1] = gramian[1, 0] + np.sqrt(gramian[0, 0]) * np.sqrt(gramian[1, 1]) + 1e-300
    elif kind == "indefinite":
        gramian[i, i] = -abs(gramian[i, i]) - 1e-300
    return torch.from_numpy(gramian)


def attack(seed: int, number: int) -> tuple[str, str, str]:
    """Solve the dual of one Gramian.

    :return: kind, outcome and words. The outcome is ``accepted`` for weights that satisfy the
        optimality conditions. It is ``refused`` for a documented error about a matrix that is no
        Gramian, or about squared norms that float64 cannot hold or compare. It is ``fault``
        otherwise.
    """
    rng = np.random.default_rng([seed, number])
    kind = KINDS[number % len(KINDS)]
    gramian = draw(rng, kind)
    n = len(gramian)
    sigma, bound = None, 0.0
    if rng.random() < 0.5:
        sigma = torch.from_numpy(10.0 ** rng.uniform(-3, 3, size=n))
        if n > 1 and rng.random() < 0.2:
            sigma[int(rng.integers(n))] = math.inf
    if rng.random() < 0.3:
        bound = float(rng.choice([0.1, 0.5, 0.9, 1 - 1e-9]))
    try:
        found = solve_dual(gramian, sigma, lower_bound=bound)
    except ValueError as error:
        words = str(error)
        is_right = kind not in VALID and "\n" not in words and words
        return kind, "refused" if is_right else "fault", words
    except ArithmeticError as error:
        squares = gramian.diagonal().double()
        ratio = float(squares.max() / squares[squares > 0.0].min())
        is_right = ratio > LARGEST_RATIO or bool((squares < SMALLEST).any())
        return kind, "refused" if is_right else "fault", str(error)
    except Exception as error:
        return kind, "fault", f"{type(error).__name__}: {error}"
    if kind == "not finite":
        return kind, "fault", "accepted"
    return kind, *_checked(gramian, sigma, bound, found.weights)


def _checked(
    gramian: torch.Tensor, sigma: torch.Tensor | None, bound: float, weights: torch.Tensor
) -> tuple[str, str]:
    """Check weights by their definition, and by the residual computed anew."""
    n = len(gramian)
    tau = np.ones(n) if sigma is None else 1.0 / sigma.numpy()
    total = float(tau @ weights.numpy())
    if not np.isfinite(weights.numpy()).all() or bool((weights < 0.0).any()):
        return "fault", f"weights {weights.tolist()}"
    if abs(total - 1.0) > TOLERANCE:
        return "fault", f"the weights sum to {total}"
    residual = kkt_residual(gramian, weights, sigma, lower_bound=bound)
    if not residual <= TOLERANCE:
        return "fault", f"the residual is {residual:.1e}"
    return "accepted", ""

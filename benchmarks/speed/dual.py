"""The dual beside other solvers."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torchjd.aggregation import MGDAWeighting

from avalanche_emgd.optim import kkt_residual, solve_dual

from .clock import side_by_side
from .finding import Effort, Finding, in_milliseconds

__all__ = ["duals"]

_SOLVES = 50  # at a time: what is timed is the work, not the first call after something else


def duals(effort: Effort) -> Iterator[Finding]:
    """Put the dual beside cvxopt and TorchJD's MGDA, with its exactness."""
    mgda = MGDAWeighting()
    for n in (2, 5, 10, 20, 50):
        generator = torch.Generator().manual_seed(n)
        jacobian = torch.randn(n, 4 * n, generator=generator, dtype=torch.float64) + 0.3
        gramian, sigma = jacobian @ jacobian.T, torch.rand(n, generator=generator) + 0.5
        ours, interior, frank_wolfe = (t / _SOLVES for t in side_by_side(
            [
                lambda g=gramian, s=sigma: lambda: [solve_dual(g, s) for _ in range(_SOLVES)],
                lambda g=gramian, s=sigma: lambda: [
                    solve_dual(g, s, solver="cvxopt") for _ in range(_SOLVES)
                ],
                lambda g=gramian: lambda: [mgda(g) for _ in range(_SOLVES)],
            ],
            effort.solves,
        ))  # fmt: skip
        detail = in_milliseconds(("dual", ours), ("cvxopt", interior), ("TorchJD", frank_wolfe))
        what = f"dual, n = {n}"
        yield Finding(what, "cvxopt (times faster)", interior / ours, 10.0, True, detail)
        yield Finding(what, "TorchJD's MGDA", ours / frank_wolfe, 1.0, detail=detail)
        residual = kkt_residual(gramian, solve_dual(gramian, sigma).weights, sigma)
        inexact = kkt_residual(gramian, mgda(gramian))
        detail = f"TorchJD's on the same Gramian with σ = 1: {inexact:.0e}"
        yield Finding(what, "KKT residual", residual, 1e-9, detail=detail)

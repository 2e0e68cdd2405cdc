"""Weightings of losses against their definitions, computed slowly."""

import math

import numpy as np
import pytest
import torch

from avalanche_emgd.optim.peers import DWA, CVWeighting, GradNorm, UncertaintyWeighting

NAMES = ["a", "b", "c"]


def losses(ticks, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 0.1 + torch.rand(ticks, 3, generator=generator, dtype=torch.float64)


def gramians(ticks, seed=1):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(ticks, 3, 5, generator=generator, dtype=torch.float64)
    return rows @ rows.transpose(1, 2)


def follow(weighting, values, grams=None):
    grams = gramians(len(values)) if grams is None else grams
    found = []
    for row, gramian in zip(values, grams, strict=True):
        weighting.set_objectives(NAMES, row)
        found.append(weighting(gramian))
    return torch.stack(found)


def test_dwa():
    values, window, temperature = losses(12), 3, 1.5
    found = follow(DWA(temperature, window), values)
    for tick in range(12):
        if tick < 2 * window - 1:
            expected = torch.ones(3).double()
        else:
            last = values[tick - window + 1 : tick + 1].mean(0)
            before = values[tick - 2 * window + 1 : tick - window + 1].mean(0)
            expected = 3.0 * torch.softmax(last / before / temperature, 0)
        torch.testing.assert_close(found[tick], expected)


def test_uncertainty_follows_the_gradient_of_kendalls_loss():
    values, rate = losses(10), 0.1
    found = follow(UncertaintyWeighting(rate), values)
    variances = torch.zeros(3, dtype=torch.float64)
    for tick in range(10):
        variances.requires_grad_()
        torch.testing.assert_close(found[tick], torch.exp(-variances).detach())
        total = (torch.exp(-variances) * values[tick] + variances / 2).sum()
        (slope,) = torch.autograd.grad(total, variances)
        variances = (variances - rate * slope).detach()


def test_uncertainty_tends_to_half_the_inverse_loss():
    constant = torch.tensor([[0.2, 1.0, 3.0]]).double().expand(2000, 3)
    found = follow(UncertaintyWeighting(0.05), constant)
    torch.testing.assert_close(found[-1], 1.0 / (2.0 * constant[0]), rtol=1e-3, atol=0)


def test_gradnorm_follows_the_gradient_of_its_loss():
    values, grams, alpha, rate = losses(8), gramians(8), 1.5, 0.05
    found = follow(GradNorm(alpha, rate), values, grams)
    weights = torch.ones(3, dtype=torch.float64)
    for tick in range(8):
        torch.testing.assert_close(found[tick], weights)
        lengths = grams[tick].diagonal().sqrt()
        lengths = lengths / lengths.mean()
        shares = values[tick] / values[0]
        weights.requires_grad_()
        weighted = weights * lengths
        target = (weighted.mean() * (shares / shares.mean()) ** alpha).detach()
        (slope,) = torch.autograd.grad((weighted - target).abs().sum(), weights)
        weights = (weights - rate * slope).detach().clamp(min=1e-3)
        weights = 3.0 * weights / weights.sum()


def test_gradnorm_evens_the_lengths_out():
    grams = torch.diag(torch.tensor([1.0, 4.0, 16.0])).double().expand(400, 3, 3)
    found = follow(GradNorm(0.0, 0.02), torch.ones(400, 3), grams)
    assert (found > 0).all()
    torch.testing.assert_close(found.sum(1), torch.full((400,), 3.0).double())
    lengths = found[-1] * torch.tensor([1.0, 2.0, 4.0])
    assert lengths.max() / lengths.min() < 1.3


def test_cv_weighting():
    values = losses(9).numpy()
    found = follow(CVWeighting(), torch.from_numpy(values))
    for tick in range(9):
        ratios = [values[k] / values[:k].mean(0) for k in range(1, tick + 1)]
        if len(ratios) < 2:
            expected = np.full(3, 1 / 3)
        else:
            variation = np.std(ratios, axis=0) / np.mean(ratios, axis=0)
            expected = variation / variation.sum()
        np.testing.assert_allclose(found[tick].numpy(), expected, rtol=1e-9)


def test_cv_weighting_of_a_newcomer_is_the_mean_of_the_others():
    weighting = CVWeighting()
    values, grams = losses(6), gramians(6)
    for row, gramian in zip(values[:5], grams[:5], strict=True):
        weighting.set_objectives(NAMES[:2], row[:2])
        weights = weighting(gramian[:2, :2])
    weighting.set_objectives(NAMES, values[5])
    weights = weighting(grams[5])
    assert float(weights[2]) == pytest.approx(float(weights[:2].mean()))
    assert math.isclose(float(weights.sum()), 1.0)

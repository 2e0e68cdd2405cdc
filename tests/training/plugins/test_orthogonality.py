import pytest
import torch
from torch import nn

from avalanche_emgd.training.plugins.orthogonality import (
    ConvOrthogonalityPlugin,
    orthogonality_penalty,
)
from tests.tolerance import tolerance


def test_penalty_of_orthogonal_filters_is_zero():
    wide, tall = nn.Conv2d(3, 4, 2), nn.Conv1d(2, 8, 3)
    for layer in (wide, tall):
        nn.init.orthogonal_(layer.weight)
        # the square of 16 or 36 products' rounding
        bound = 36 * tolerance(torch.float32, 12) ** 2
        assert orthogonality_penalty(layer).item() == pytest.approx(0.0, abs=bound)
        nn.init.constant_(layer.weight, 0.5)
    filters = wide.weight.flatten(1)
    expected = (filters @ filters.T - torch.eye(4)).norm() ** 2
    torch.testing.assert_close(orthogonality_penalty(nn.Sequential(wide, nn.ReLU())), expected)
    filters = tall.weight.flatten(1)
    torch.testing.assert_close(
        orthogonality_penalty(nn.Sequential(wide, tall)),
        expected + (filters.T @ filters - torch.eye(6)).norm() ** 2,
    )


def test_no_penalty_without_trained_convolutions():
    frozen = nn.Conv2d(1, 2, 3).requires_grad_(False)
    assert orthogonality_penalty(nn.Sequential(frozen, nn.Linear(3, 3))) is None


def test_strength_must_not_be_negative():
    with pytest.raises(ValueError, match="`strength`"):
        ConvOrthogonalityPlugin(-1.0)

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.models import CosineClassifier
from avalanche_emgd.models.cosine import shift_angle, use_cosine_classifier
from tests.tolerance import tolerance

HELD = 1e-7**0.5  # the sine is held above it, for the sake of its gradient
margins = st.floats(0.0, math.pi / 2)
shares = st.floats(0.0, 0.999)


def shifted(theta, margin):
    return float(shift_angle(torch.tensor(theta, dtype=torch.float64).cos(), margin))


@given(margins, st.floats(0.0, 0.999999))
def test_shift_adds_to_the_angle_up_to_pi(margin, share):
    theta = share * (math.pi - margin)
    rounding = tolerance(torch.float64, 3, scale=1.0 / HELD)  # 1 − cos² cancels where sin is small
    bound = rounding if math.sin(theta) > HELD * (1.0 + rounding) else HELD
    assert shifted(theta, margin) == pytest.approx(math.cos(theta + margin), abs=bound)


@given(margins, shares, shares)
def test_shift_falls_with_the_angle_beyond_pi(margin, one, other):
    first, second = (math.pi - margin * share for share in sorted((one, other), reverse=True))
    assert shifted(second, margin) <= shifted(first, margin)
    if math.cos(first) - math.cos(second) > tolerance(torch.float64, 3):
        assert shifted(second, margin) < shifted(first, margin)


@given(st.floats(0.01, math.pi / 2), st.floats(0.001, 1.0))
def test_shift_beyond_pi_is_a_line_in_the_cosine(margin, share):
    theta = math.pi - (1.0 - share) * margin
    line = math.cos(theta) - margin * math.sin(margin)
    assert shifted(theta, margin) == pytest.approx(line, abs=tolerance(torch.float64, 3))


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.5, 1.5, math.pi / 2])
def test_shift_falls_with_the_angle_across_pi(margin):
    theta = torch.linspace(1e-3, math.pi - 1e-3, 2000, dtype=torch.float64)
    assert (shift_angle(theta.cos(), margin).diff() < 0.0).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("margin", [0.0, 0.05, 1.0, 1.5])
def test_shift_has_bounded_gradients_at_both_ends(margin, dtype):
    eps = torch.finfo(dtype).eps
    ends = torch.tensor([1.0 + eps, 1.0, 1.0 - eps], dtype=dtype)
    cosine = torch.cat([-ends, ends]).requires_grad_()
    value = shift_angle(cosine, margin)
    value.sum().backward()
    assert value.isfinite().all()
    assert (cosine.grad.abs() < 4000.0).all()
    if margin:
        assert cosine.grad[:3].tolist() == [1.0, 1.0, 1.0]


def test_logits_are_scaled_cosines():
    linear, features = nn.Linear(4, 3), torch.randn(5, 4)
    logits = CosineClassifier(linear, 7.0)(features)
    for b in range(5):
        for k in range(3):
            f, w = features[b], linear.weight[k]
            torch.testing.assert_close(logits[b, k], 7.0 * (f @ w) / (f.norm() * w.norm()))
    torch.testing.assert_close(CosineClassifier(linear, 7.0)(100.0 * features), logits)


def test_the_replaced_classifier_shares_its_parameter():
    model = MLP(6, in_features=5, hidden=(4,))
    weight, bias = model.classifier.weight, model.classifier.bias
    use_cosine_classifier(model, 20.0)
    assert isinstance(model.classifier, CosineClassifier)
    assert model.classifier.weight is weight
    assert all(parameter is not bias for parameter in model.parameters())
    assert model(torch.randn(3, 5)).shape == (3, 6)
    assert repr(model.classifier) == ("CosineClassifier(in_features=4, out_features=6, scale=20.0)")


def test_a_classifier_inside_a_submodule_is_replaced():
    model = nn.Sequential(nn.Linear(5, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 6)))
    use_cosine_classifier(model, 3.0)
    assert isinstance(model[0], nn.Linear)
    assert isinstance(model[1][1], CosineClassifier)
    largest = 3.0 + tolerance(torch.float32, 4, scale=3.0)
    assert (model(torch.randn(20, 5)).abs() <= largest).all()


def test_a_second_replacement_is_refused():
    model = MLP(6, in_features=5)
    use_cosine_classifier(model, 20.0)
    kept = model.classifier
    with pytest.raises(ValueError, match="has a cosine classifier already"):
        use_cosine_classifier(model, 20.0)
    assert model.classifier is kept


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_scale_must_be_positive(scale):
    model = MLP(6, in_features=5)
    with pytest.raises(ValueError, match=f"`scale` must be positive and finite, found {scale}"):
        use_cosine_classifier(model, scale)
    assert isinstance(model.classifier, nn.Linear)

"""Loss of the replay memory with stored probabilities."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.models.class_mask import masked_value
from avalanche_emgd.training.ingredients import StoredProbabilities
from tests.training.peers.by_hand import check_replayed_loss


@pytest.mark.parametrize("scenario", ["class", "task"])
@pytest.mark.parametrize("memory_objectives", ["one", "per-task"])
def test_replayed_loss_is_cross_entropy_and_divergence_of_competing_classes(
    scenario, memory_objectives
):
    temperature = 1.5

    def divergence(now, before):
        before, now = (torch.softmax(z / temperature, dim=0) for z in (before, now))
        return [temperature**2 * (before * (before.log() - now.log())).sum()]

    loss = StoredProbabilities(20.0, 0.4, temperature)
    check_replayed_loss(loss, divergence, scenario, memory_objectives)


@st.composite
def batches(draw):
    """Outputs, stored logits and competing classes ``[b, K]``, at least one class each."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 8)))
    output, stored = (
        draw(st.floats(0.0, 20.0)) * torch.randn(shape, generator=generator, dtype=torch.float64)
        for _ in range(2)
    )
    competed = torch.rand(shape, generator=generator) < 0.6
    competed[:, draw(st.integers(0, shape[1] - 1))] = True
    masked = masked_value(torch.float64)
    return output, stored.masked_fill(~competed, masked), competed


def distance(output, stored, competed, temperature):
    return StoredProbabilities(temperature=temperature).distance(output, stored, competed)


temperatures = st.floats(0.1, 10.0)


@given(batches(), temperatures)
def test_it_is_a_divergence(batch, temperature):
    output, stored, competed = batch
    # A sum of K products of probabilities and differences of logarithms up to 40 · 20 / T.
    rounding = 1e3 * competed.shape[1] * torch.finfo(output.dtype).eps * temperature
    assert distance(*batch, temperature).item() >= -rounding
    assert distance(stored, stored, competed, temperature).item() == 0.0


@given(batches(), temperatures, st.floats(-50.0, 50.0))
def test_the_level_of_the_logits_and_classes_that_did_not_compete_are_free(batch, temp, level):
    output, stored, competed = batch
    moved = output + level + torch.where(competed, 0.0, 7.0)
    torch.testing.assert_close(
        distance(moved, stored, competed, temp), distance(*batch, temp), rtol=1e-9, atol=1e-9
    )


@given(batches(), temperatures)
def test_the_gradient_is_the_difference_of_probabilities(batch, temperature):
    output, stored, competed = batch
    output.requires_grad_()
    distance(output, stored, competed, temperature).backward()
    before, now = (
        torch.softmax((z / temperature).masked_fill(~competed, -torch.inf), dim=1)
        for z in (stored, output.detach())
    )
    expected = temperature * (now - before) / len(output)
    torch.testing.assert_close(output.grad, expected, rtol=1e-9, atol=1e-9)
    assert (output.grad[~competed] == 0).all()


@given(batches())
def test_at_a_high_temperature_it_is_half_the_squared_difference_of_centred_logits(batch):
    output, stored, competed = batch
    difference = torch.where(competed, output - stored, 0.0)
    number = competed.sum(dim=1, keepdim=True)
    mean = difference.sum(dim=1, keepdim=True) / number
    centred = torch.where(competed, difference - mean, 0.0).square().sum(dim=1) / (2 * number[:, 0])
    # The series goes on with terms of the order of (logit / T)³ T².
    torch.testing.assert_close(distance(*batch, 1e6), centred.mean(), rtol=1e-2, atol=1e-2)


def test_masked_logits_of_half_precision_stay_finite():
    stored = torch.tensor([[1.0, 2.0, masked_value(torch.float16)]], dtype=torch.float16)
    output = torch.tensor([[9.0, -2.0, 3.0]], dtype=torch.float16, requires_grad=True)
    found = distance(output, stored, torch.tensor([[True, True, False]]), 0.5)
    found.backward()
    assert found.isfinite()
    assert output.grad.isfinite().all()


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan"), "warm", None, True])
def test_wrong_temperatures(value):
    with pytest.raises(ValueError, match="`temperature` must be positive and finite"):
        StoredProbabilities(temperature=value)


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_wrong_weights_of_terms(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 0 and finite, found -0.1"):
        StoredProbabilities(**{name: -0.1})

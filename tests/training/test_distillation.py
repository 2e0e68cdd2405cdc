"""Distillation, of LwF and of stored probabilities."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.models.class_mask import masked_value
from avalanche_emgd.training.distillation import distillation


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 6), st.floats(1e-3, 1e3))
def test_classes_that_did_not_compete_are_as_if_they_were_not_there(seed, b, k, temperature):
    generator = torch.Generator().manual_seed(seed)
    now, before = 5.0 * torch.randn((2, b, k + 2), generator=generator, dtype=torch.float64)
    competed = torch.arange(k + 2).expand(b, -1) < k
    alone = distillation(now[:, :k], before[:, :k], temperature)
    for there in (before, before.masked_fill(~competed, masked_value(before.dtype))):
        found = distillation(now, there, temperature, competed)
        torch.testing.assert_close(found, alone, rtol=1e-9, atol=1e-9)


def test_it_is_the_sum_over_classes_and_the_mean_over_samples():
    now, before = torch.tensor([[[0.0, 1.0], [2.0, -1.0]], [[1.0, 0.0], [0.0, 3.0]]]).double()
    expected = 0.0
    for a, b in zip(now, before, strict=True):
        p, q = torch.softmax(b / 3.0, dim=0), torch.softmax(a / 3.0, dim=0)
        expected += 9.0 * (p * (p / q).log()).sum() / 2
    torch.testing.assert_close(distillation(now, before, 3.0), expected)

"""Losses that are no scalar tensors are refused with the name of what computes them."""

import re

import pytest
import torch

from avalanche_emgd.training.scalar_losses import checked_scalar


def test_a_scalar_is_returned_as_it_is():
    loss = torch.ones((), requires_grad=True)
    assert checked_scalar(loss, "criterion") is loss


@pytest.mark.parametrize(
    ("loss", "found"), [(torch.ones(4), "shape (4,)"), (1.5, "1.5"), (None, "None")]
)
def test_others_are_refused(loss, found):
    message = f"`criterion` must return a scalar tensor (reduction='mean'), found {found}."
    with pytest.raises(ValueError, match=re.escape(message)):
        checked_scalar(loss, "criterion", " (reduction='mean')")

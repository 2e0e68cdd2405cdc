import pytest
import torch
from torch.utils.checkpoint import checkpoint

from avalanche_emgd.gradients.checkpoints import reentrant_checkpoints_refused


def run(use_reentrant):
    x = torch.ones(2, requires_grad=True)
    return checkpoint(torch.sin, x, use_reentrant=use_reentrant)


def test_only_reentrant_checkpoints_are_refused_and_only_inside():
    run(True)
    with reentrant_checkpoints_refused():
        with reentrant_checkpoints_refused():
            run(False)
        with pytest.raises(ValueError, match="use `use_reentrant=False`"):
            run(True)
    run(True)


def test_an_error_inside_leaves_pytorch_as_it_was():
    with pytest.raises(KeyError), reentrant_checkpoints_refused():
        raise KeyError
    run(True)

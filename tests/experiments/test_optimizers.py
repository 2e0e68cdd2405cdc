import pytest
import torch

from avalanche_emgd.experiments.optimizers import make_optimizer


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_optimizers(name):
    model = torch.nn.Linear(2, 1)
    optimizer = make_optimizer(name, model, 0.1, 0.01)
    assert type(optimizer).__name__.lower() == name
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.01)
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]


def test_a_model_without_parameters_cannot_be_trained():
    frozen = torch.nn.Linear(2, 1).requires_grad_(False)
    for model in (torch.nn.ReLU(), frozen):
        name = type(model).__name__
        with pytest.raises(ValueError, match=f"a parameter to train, found {name} without any"):
            make_optimizer("adam", model, 0.1, 0.0)

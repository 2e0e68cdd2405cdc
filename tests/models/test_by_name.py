import pytest
import torch
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.models import make_model

torch_linear = nn.Linear


@pytest.mark.parametrize("name", ["mlp", "slim-resnet18", "resnet18"])
def test_models_take_inputs_of_the_shape(name):
    model = make_model(name, 7, (3, 8, 8)).eval()
    assert model(torch.randn(2, 3, 8, 8)).shape == (2, 7)


def test_an_mlp_takes_any_shape():
    assert isinstance(make_model("mlp", 3, (5,)), MLP)
    assert make_model("mlp", 3, (2, 3))(torch.randn(4, 2, 3)).shape == (4, 3)


def test_a_model_of_ones_own():
    model = make_model("own_models:linear", 4, (6,))
    assert model(torch.randn(2, 6)).shape == (2, 4)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("resnet18", (5,), r"`model` 'resnet18' is for images \[C, H, W\], but .* \(5,\)"),
        ("resnet", (3, 8, 8), "`model` .*'resnet'"),
        (
            "builtins:dict",
            (5,),
            "`model` 'builtins:dict' cannot be called with|must return a torch",
        ),
        ("builtins:max", (5,), "`model` 'builtins:max' (cannot be called|must return)"),
        ("builtins:print", (5,), "must return a torch.nn.Module, found NoneType"),
    ],
)
def test_wrong_names(name, shape, message):
    with pytest.raises(ValueError, match=message):
        make_model(name, 3, shape)

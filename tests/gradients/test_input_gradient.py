"""Both ways to ∇_x ⟨∇_θ L, v⟩ against each other, closed forms and differences."""

import operator

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from avalanche_emgd import MLP
from avalanche_emgd.gradients.input_gradient import directional_derivative, product_gradient
from avalanche_emgd.models import frozen_statistics
from tests.tolerance import tolerance

PRODUCTS = ("double-backward", "forward")


def small_resnet():
    model = resnet18(num_classes=5)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    return model


MODELS = {
    "mlp": (lambda: MLP(5, in_features=6, hidden=(8, 7)), (9, 6)),
    "smooth": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5)), (9, 6)),
    "batch norm": (
        lambda: nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 5)),
        (9, 6),
    ),
    "resnet": (small_resnet, (4, 3, 12, 12)),
}


# Terms of the longest sums in a row: of linear layers, and of 17 convolutions of up to 9 · 512.
SUMMED = {"mlp": 100, "smooth": 100, "batch norm": 100, "resnet": 17 * 9 * 512}
STEP = 1e-6  # of central differences, in float64: they err by its square and by ε / STEP


def problem(name, dtype=torch.float32):
    make, shape = MODELS[name]
    model, x = make().to(dtype), torch.randn(shape, dtype=dtype)
    y = torch.randint(5, shape[:1])
    parameters = list(model.parameters())
    v = torch.randn(sum(p.numel() for p in parameters), dtype=dtype)
    return model, parameters, x, v, lambda inputs: nn.functional.cross_entropy(model(inputs), y)


def flat_gradient(loss, parameters, x):
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss(x), parameters)])


@pytest.mark.parametrize("name", MODELS)
def test_both_products_agree_and_disturb_nothing(name):
    model, parameters, x, v, loss = problem(name)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with frozen_statistics(model):
        found = [product_gradient(loss, model, parameters, x, v, kind) for kind in PRODUCTS]
    assert found[0].shape == x.shape
    bound = tolerance(torch.float32, SUMMED[name])
    assert (found[0] - found[1]).norm() <= bound * found[0].norm()
    assert found[0].norm() > 0.0
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(map(operator.is_, model.parameters(), parameters))
    assert all(p.grad is None and p.requires_grad for p in parameters)
    assert all(m.track_running_stats for m in model.modules() if hasattr(m, "running_mean"))


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("name", ["smooth", "batch norm"])
def test_against_differences(name, product):
    model, parameters, x, v, loss = problem(name, torch.float64)
    with frozen_statistics(model):
        found = product_gradient(loss, model, parameters, x, v, product)
        for _ in range(3):
            way = torch.randn_like(x)
            ends = [flat_gradient(loss, parameters, x + e * way) @ v for e in (STEP, -STEP)]
            expected = (ends[0] - ends[1]) / (2.0 * STEP)
            bound = tolerance(torch.float64, 200, scale=float(v.norm())) / STEP
            torch.testing.assert_close((found * way).sum(), expected, rtol=0.0, atol=bound)


@pytest.mark.parametrize("product", PRODUCTS)
def test_closed_form_of_a_linear_model(product):
    """L = ½ mean ‖Wx − y‖²: ⟨∇_W L, V⟩ = mean (Wx − y)ᵀVx, its gradient Wᵀ(Vx) + Vᵀ(Wx − y)."""
    model = nn.Linear(4, 3, bias=False).double()
    x, y, v = torch.randn(5, 4).double(), torch.randn(5, 3).double(), torch.randn(3, 4).double()

    def loss(inputs):
        return 0.5 * (model(inputs) - y).square().sum(dim=1).mean()

    w = model.weight.detach()
    expected = (x @ v.T @ w + (x @ w.T - y) @ v) / 5
    found = product_gradient(loss, model, [model.weight], x, v.reshape(-1), product)
    bound = tolerance(torch.float64, 20, scale=float(expected.norm()))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=bound)


@pytest.mark.parametrize("product", PRODUCTS)
def test_unused_and_frozen_parameters(product):
    model, _, x, _, loss = problem("mlp")
    model.spare = nn.Linear(2, 2)
    first = next(model.parameters()).requires_grad_(False)
    parameters = [p for p in model.parameters() if p.requires_grad]
    v = torch.randn(sum(p.numel() for p in parameters))
    found = product_gradient(loss, model, parameters, x, v, product)
    assert found.isfinite().all()
    assert found.norm() > 0.0
    assert not first.requires_grad


def test_directional_derivative_against_differences():
    model, parameters, x, v, _ = problem("smooth", torch.float64)
    value, change = directional_derivative(model, model, parameters, x, v)
    torch.testing.assert_close(value, model(x).detach())
    assert all(map(operator.is_, model.parameters(), parameters))
    ends = []
    for step in (STEP, -STEP):
        moved = nn.utils.parameters_to_vector(parameters).detach()
        nn.utils.vector_to_parameters(moved + step * v, parameters)
        ends.append(model(x).detach())
        nn.utils.vector_to_parameters(moved, parameters)
    bound = tolerance(torch.float64, 20, scale=float(v.norm())) / STEP
    expected = (ends[0] - ends[1]) / (2.0 * STEP)
    torch.testing.assert_close(change, expected, rtol=0.0, atol=bound)


def test_unknown_product():
    model, parameters, x, v, loss = problem("mlp")
    with pytest.raises(ValueError, match="`product` must be one of double-backward, forward"):
        product_gradient(loss, model, parameters, x, v, "backward")


def test_frozen_statistics_normalise_by_the_batch():
    model, _, x, _, _ = problem("batch norm")
    other = problem("batch norm")[0]
    other.load_state_dict(model.state_dict())
    with frozen_statistics(model):
        torch.testing.assert_close(model(x), other(x))
    assert int(model[1].num_batches_tracked) == 0
    assert int(other[1].num_batches_tracked) == 1
    model.eval()
    with frozen_statistics(model):
        assert torch.equal(model(x), model(x))
        assert model[1].track_running_stats

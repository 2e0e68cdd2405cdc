import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset
from torchvision.models import resnet18

from avalanche_emgd import EMGDStrategy, ResNet18, Timeline, parallel_benchmark
from avalanche_emgd.models import make_model
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.training.common import quiet


def test_equals_torchvisions_network_with_another_stem():
    ours, theirs = ResNet18(7), resnet18(num_classes=7)
    theirs.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = nn.MaxPool2d(2)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_slim_variant():
    model = make_model("slim-resnet18", 5, (1, 28, 28))
    widths = [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert sorted(set(widths)) == [20, 40, 80, 160]
    assert model(torch.randn(2, 1, 28, 28)).shape == (2, 5)
    assert model.backbone(torch.randn(2, 1, 28, 28)).shape == (2, 160)


@pytest.mark.parametrize("name", ["num_classes", "width", "in_channels"])
def test_wrong_sizes(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number, at least 1, found 0"):
        ResNet18(**{"num_classes": 2, name: 0})


def test_wrong_models():
    with pytest.raises(ValueError, match="`model` must be one of mlp, resnet18, slim-resnet18"):
        make_model("vit", 2, (3, 8, 8))
    with pytest.raises(ValueError, match=r"`model` 'resnet18' is for images \[C, H, W\]"):
        make_model("resnet18", 2, (12,))
    assert make_model("mlp", 2, (3, 2, 2))(torch.randn(4, 3, 2, 2)).shape == (4, 2)


def test_running_statistics_take_the_objectives_in_their_order():
    """One update of the statistics for each objective, normalised by its own batch."""
    data = [
        TensorDataset(3.0 * task + torch.randn(8, 1, 4, 4), 2 * task + torch.arange(8) % 2)
        for task in range(2)
    ]
    benchmark = parallel_benchmark(data, data, Timeline(((0, 1), (0, 1))), batch_size=4)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 4)
    )
    expected = []

    class ByHand(MultiGradientPlugin):
        def before_forward(self, strategy, *args, **kwargs):
            mean, var = model[1].running_mean.clone(), model[1].running_var.clone()
            with torch.no_grad():
                for part in strategy.mbatch.parts:
                    features = model[0](strategy.mb_x[part.start : part.stop])
                    mean = 0.9 * mean + 0.1 * features.mean((0, 2, 3))
                    var = 0.9 * var + 0.1 * features.var((0, 2, 3))
            expected.append((mean, var))

        def after_forward(self, strategy, *args, **kwargs):
            torch.testing.assert_close(model[1].running_mean, expected[-1][0])
            torch.testing.assert_close(model[1].running_var, expected[-1][1])

    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        plugins=[ByHand()],
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream)
    assert len(expected) == 2

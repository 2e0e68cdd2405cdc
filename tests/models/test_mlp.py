import torch

from avalanche_emgd import MLP


def test_published_setting():
    model = MLP(62)
    assert model(torch.randn(3, 1, 28, 28)).shape == (3, 62)
    shapes = [tuple(p.shape) for p in model.parameters() if p.ndim == 2]
    assert shapes == [(128, 784), (64, 128), (62, 64)]
    assert model.backbone(torch.randn(2, 784)).shape == (2, 64)

"""Random convolutional networks with norms of every kind: as separate passes, tick after tick."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from avalanche_emgd.gradients import Batches, FusedEngine, PlainEngine

from .test_never_wrong import close

NETWORKS, TICKS = 12, 12
NORMS = {
    "batch": lambda c: nn.BatchNorm2d(c),
    "batch, average": lambda c: nn.BatchNorm2d(c, momentum=None),
    "batch, plain": lambda c: nn.BatchNorm2d(c, affine=False),
    "batch, untracked": lambda c: nn.BatchNorm2d(c, track_running_stats=False),
    "group": lambda c: nn.GroupNorm(2, c),
    "layer": lambda c: nn.GroupNorm(1, c),
    "instance": lambda c: nn.InstanceNorm2d(c, affine=True),
    "none": lambda c: nn.Identity(),
}


class Residual(nn.Module):
    def __init__(self, before, after, stride, norm, is_zero):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=norm == "none"), NORMS[norm](after),
            nn.ReLU(inplace=True), nn.Conv2d(after, after, 3, 1, 1, bias=False), NORMS[norm](after),
        )  # fmt: skip
        last = self.branch[-1]
        if is_zero and getattr(last, "weight", None) is not None:
            nn.init.zeros_(last.weight)
        self.shortcut = nn.Sequential()
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), NORMS[norm](after)
            )

    def forward(self, x):
        return torch.relu_(self.branch(x) + self.shortcut(x))


def network(number, one_of):
    norm, layers, width = one_of(NORMS), [], 4
    layers += [nn.Conv2d(2, width, 3, padding=1), NORMS[one_of(NORMS)](width), nn.ReLU()]
    for _ in range(number(1, 3)):
        after = width * number(1, 3)
        layers.append(Residual(width, after, number(1, 3), norm, number(0, 2) == 0))
        width = after
    if number(0, 8) == 0:
        layers.append(nn.Dropout(0.2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5))


def tick(engine, model, batches, targets):
    trained = [p for p in model.parameters() if p.requires_grad]
    made = engine.forward(model, batches)
    losses = [functional.cross_entropy(o, y) for o, y in zip(made.outputs, targets, strict=True)]
    found = made.gradients(losses, trained)
    buffers = [buffer.clone() for buffer in model.buffers()]
    return found.rows.clone(), buffers, list(found.used), made.joined is not None


def change(model, kind, one):
    if kind == "toggle":
        parameter = one(list(model.parameters()))
        parameter.requires_grad_(not parameter.requires_grad)
    elif kind == "mode":
        layer = one([m for m in model.modules() if not isinstance(m, nn.Dropout)])
        layer.train(not layer.training)


def run(seed):
    draw = torch.Generator().manual_seed(seed)

    def number(low, high):
        return int(torch.randint(low, high, (), generator=draw))

    def one_of(names):
        return list(names)[number(0, len(names))]

    torch.manual_seed(seed)
    model = network(number, one_of).double()
    if number(0, 3) == 0:
        model = model.to(memory_format=torch.channels_last)
    engine, plain, fused = FusedEngine(model), PlainEngine(), 0
    sizes = [number(2, 5) for _ in range(number(2, 5))]
    share = one_of([0, 0, 2, len(sizes)])
    for k in range(TICKS):
        if k == 6:
            change(model, one_of(["nothing", "toggle", "mode"]), one_of)
        torch.manual_seed(1000 * seed + k)
        x = torch.randn(sum(sizes), 2, 6, 6, dtype=torch.float64)
        groups = [1] * (len(sizes) - share) + [share] * (share > 0)
        batches = Batches(x, sizes, groups)
        targets = [torch.randint(0, 5, (size,)) for size in sizes]
        twin = copy.deepcopy(model)  # from the same weights and buffers at every tick
        torch.manual_seed(k)
        rows, buffers, used, was_fused = tick(engine, model, batches, targets)
        torch.manual_seed(k)
        right, expected, touched, _ = tick(plain, twin, batches, targets)
        fused += was_fused
        assert close(rows, right, float(right.abs().max())), (k, engine.reason)
        assert used == touched
        for ours, theirs in zip(buffers, expected, strict=True):
            assert close(ours, theirs, float(theirs.abs().max())), k
        trained = [p for p in model.parameters() if p.requires_grad]
        with torch.no_grad():
            pieces = right.mean(0).split([p.numel() for p in trained])
            for parameter, piece in zip(trained, pieces, strict=True):
                parameter -= 0.05 * piece.view_as(parameter).clamp(-1.0, 1.0)
    return fused, engine.reason


def test_random_networks():
    fused, refused = 0, 0
    for seed in range(NETWORKS):
        found, reason = run(seed)
        fused += found
        refused += reason is not None
    assert fused > 2 * NETWORKS
    assert refused < NETWORKS // 2


@pytest.mark.slow
def test_many_random_networks():
    for seed in range(NETWORKS, 40 * NETWORKS):
        run(seed)

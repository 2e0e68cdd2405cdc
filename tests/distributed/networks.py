"""Networks that several processes train."""

import torch
from avalanche.models import as_multitask
from torch import nn

from avalanche_emgd import MLP


class Normed(nn.Sequential):
    """Two batch norms, one of which counts a cumulative average."""

    def __init__(self):
        super().__init__(
            nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(),
            nn.Linear(16, 8), nn.BatchNorm1d(8, momentum=None), nn.ReLU(), nn.Linear(8, 8),
        )  # fmt: skip


class Counting(nn.Sequential):
    """Writes to a buffer in each pass."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8))
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1.0
        return super().forward(x)


class Mixing(nn.Sequential):
    """The output of a sample depends on its whole batch."""

    def __init__(self):
        super().__init__(nn.Linear(5, 8))

    def forward(self, x):
        return super().forward(x) * (1.0 + x.square().mean())


def mlp():
    return MLP(8, in_features=5, hidden=(16, 8))


MODELS = {
    "mlp": mlp,
    "normed": Normed,
    "counting": Counting,
    "mixing": Mixing,
    "heads": lambda: as_multitask(mlp(), "classifier"),
    "dropout": lambda: nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.5), nn.Linear(16, 8)),
    "instance": lambda: nn.Sequential(
        nn.Unflatten(1, (5, 1)), nn.InstanceNorm1d(5, track_running_stats=True), nn.Flatten(),
        nn.Linear(5, 8),
    ),
    "synced": lambda: nn.Sequential(nn.Linear(5, 8), nn.SyncBatchNorm(8)),
    "parallel": lambda: nn.DataParallel(nn.Linear(5, 8)),
}  # fmt: skip

"""Building blocks of random networks, ``[b, 8]`` to ``[b, 8]``: ordinary ones and troublemakers."""

import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from .parts import (
    WIDTH,
    Doubled,
    Mixing,
    Of,
    OwnNorm,
    attention,
    average,
    clipped,
    conv,
    counter,
    counts_inside,
    frozen_norm,
    gate,
    half_zero,
    hooked,
    image,
    keeps_a_mask,
    linear,
    noisy,
    norm_in_evaluation,
    norms_of_one_memory,
    own_attention,
    prompt,
    pruned,
    random_of,
    recurrent,
    remembered,
    residual_norms,
    statistics_reset,
    tied,
    viewed,
    with_forward,
    with_other_forward,
    words,
    zeroed,
)

BLOCKS = {
    "linear": linear,
    "no bias": lambda: linear(bias=False),
    "mlp": lambda: nn.Sequential(linear(), nn.ReLU(), linear()),
    "in-place relu": lambda: nn.Sequential(linear(), nn.ReLU(inplace=True), linear()),
    "in-place dropout": lambda: nn.Sequential(linear(), nn.Dropout(0.3, inplace=True)),
    "mul_": lambda: Of(lambda s, x: s.layer(x).mul_(2.0), layer=linear()),
    "clamp_": lambda: Of(lambda s, x: s.layer(x).clamp_(-0.5, 0.5), layer=linear()),
    "masked assignment": lambda: Of(lambda s, x: half_zero(s.layer(x)), layer=linear()),
    "in place on a view": lambda: Of(lambda s, x: viewed(s.layer(x)), layer=linear()),
    "in place on the input": lambda: Of(lambda s, x: s.layer(x.clone()).add_(x), layer=linear()),
    "in place on sequences": lambda: Of(
        lambda s, x: torch.relu_(s.layer(x.view(len(x), 2, 4))).reshape(len(x), WIDTH),
        layer=nn.Linear(4, 4),
    ),
    "layer norm": lambda: nn.Sequential(linear(), nn.LayerNorm(WIDTH)),
    "plain layer norm": lambda: nn.Sequential(
        linear(), nn.LayerNorm(WIDTH, elementwise_affine=False)
    ),
    "convolution": lambda: Of(lambda s, x: s.conv(image(x)).flatten(1), conv=conv()),
    "circular convolution": lambda: Of(
        lambda s, x: s.conv(image(x)).flatten(1), conv=conv(padding_mode="circular")
    ),
    "grouped convolution": lambda: Of(
        lambda s, x: s.conv(image(x)).flatten(1), conv=conv(groups=2, bias=False)
    ),
    "group norm": lambda: Of(
        lambda s, x: s.norm(s.conv(image(x))).flatten(1), conv=conv(), norm=nn.GroupNorm(2, 2)
    ),
    "batch norm": lambda: nn.Sequential(linear(), nn.BatchNorm1d(WIDTH)),
    "batch norm without weights": lambda: nn.Sequential(
        linear(), nn.BatchNorm1d(WIDTH, affine=False)
    ),
    "batch norm of images": lambda: Of(
        lambda s, x: s.norm(s.conv(image(x))).flatten(1), conv=conv(), norm=nn.BatchNorm2d(2)
    ),
    "batch norm of volumes": lambda: Of(
        lambda s, x: s.norm(s.conv(x.view(len(x), 2, 1, 2, 2))).flatten(1),
        conv=nn.Conv3d(2, 2, 3, padding=1),
        norm=nn.BatchNorm3d(2, momentum=None),
    ),
    "batch norm of sequences": lambda: Of(
        lambda s, x: s.norm(s.conv(x.view(len(x), 2, 4))).flatten(1),
        conv=nn.Conv1d(2, 2, 3, padding=1),
        norm=nn.BatchNorm1d(2, eps=1e-3),
    ),
    "batch norm in place": lambda: nn.Sequential(
        linear(), nn.BatchNorm1d(WIDTH), nn.ReLU(inplace=True)
    ),
    "batch norm with an average": lambda: nn.Sequential(
        linear(), nn.BatchNorm1d(WIDTH, momentum=None)
    ),
    "batch norm without statistics": lambda: nn.Sequential(
        linear(), nn.BatchNorm1d(WIDTH, track_running_stats=False)
    ),
    "batch norm with a frozen weight": frozen_norm,
    "batch norm in evaluation": norm_in_evaluation,
    "batch norm first": lambda: nn.Sequential(nn.BatchNorm1d(WIDTH), linear()),
    "batch norm twice": lambda: Of(
        lambda s, x: s.norm(torch.tanh(s.norm(s.layer(x)))),
        layer=linear(),
        norm=nn.BatchNorm1d(WIDTH),
    ),
    "batch norm without statistics twice": lambda: Of(
        lambda s, x: s.norm(torch.tanh(s.norm(s.layer(x)))),
        layer=linear(),
        norm=nn.BatchNorm1d(WIDTH, track_running_stats=False),
    ),
    "batch norms of one memory": norms_of_one_memory,
    "batch norm of its own": lambda: nn.Sequential(linear(), OwnNorm(WIDTH)),
    "batch norm of another forward": lambda: nn.Sequential(
        linear(), with_other_forward(nn.BatchNorm1d(WIDTH, affine=False))
    ),
    "functional batch norm": lambda: Of(
        lambda s, x: functional.batch_norm(
            s.layer(x), s.norm.running_mean, s.norm.running_var, None, None, s.training
        ),
        layer=linear(),
        norm=nn.BatchNorm1d(WIDTH, affine=False),
    ),
    "batch norm of rows of sequences": lambda: Of(
        lambda s, x: s.norm(s.layer(x).view(-1, 4)).view(len(x), WIDTH),
        layer=linear(),
        norm=nn.BatchNorm1d(4),
    ),
    "batch norm across samples": lambda: Of(
        lambda s, x: s.norm(s.layer(x).view(len(x), 2, 4).transpose(0, 1).reshape(len(x), WIDTH)),
        layer=linear(),
        norm=nn.BatchNorm1d(WIDTH),
    ),
    "batch norm of some samples": lambda: Of(
        lambda s, x: torch.cat([s.norm(s.layer(x[:2])), s.layer(x[2:])]),
        layer=linear(),
        norm=nn.BatchNorm1d(WIDTH),
    ),
    "batch norm whose statistics are reset": lambda: Of(
        statistics_reset, layer=linear(), norm=nn.BatchNorm1d(WIDTH)
    ),
    "batch norm in a checkpoint": lambda: Of(
        lambda s, x: checkpoint(s.layers, x, use_reentrant=False),
        layers=nn.Sequential(linear(), nn.BatchNorm1d(WIDTH)),
    ),
    "batch norm called directly": lambda: Of(
        lambda s, x: s.norm.forward(s.layer(x)), layer=linear(), norm=nn.BatchNorm1d(WIDTH)
    ),
    "batch norm by keyword": lambda: Of(
        lambda s, x: s.norm(input=s.layer(x)), layer=linear(), norm=nn.BatchNorm1d(WIDTH)
    ),
    "batch norm with a hook": lambda: nn.Sequential(
        linear(), hooked(nn.BatchNorm1d(WIDTH), "forward")
    ),
    "synchronised batch norm": lambda: nn.Sequential(linear(), nn.SyncBatchNorm(WIDTH)),
    "renormalised": lambda: nn.Sequential(
        nn.utils.parametrizations.weight_norm(linear()), nn.BatchNorm1d(WIDTH)
    ),
    "zero residual batch norms": residual_norms,
    "channels last": lambda: Of(
        lambda s, x: s.norm(s.conv(image(x).to(memory_format=torch.channels_last))).flatten(1),
        conv=conv(),
        norm=nn.BatchNorm2d(2),
    ),
    "plain instance norm": lambda: Of(
        lambda s, x: s.norm(s.conv(image(x))).flatten(1),
        conv=conv(),
        norm=nn.InstanceNorm2d(2, affine=True),
    ),
    "instance norm": lambda: Of(
        lambda s, x: s.norm(s.conv(image(x))).flatten(1),
        conv=conv(),
        norm=nn.InstanceNorm2d(2, track_running_stats=True),
    ),
    "transposed convolution": lambda: Of(
        lambda s, x: s.conv(image(x)).flatten(1), conv=nn.ConvTranspose2d(2, 2, 3, padding=1)
    ),
    "prelu": lambda: nn.Sequential(linear(), nn.PReLU()),
    "bilinear": lambda: Of(lambda s, x: s.layer(x, x), layer=nn.Bilinear(WIDTH, WIDTH, WIDTH)),
    "lstm": lambda: recurrent(nn.LSTM),
    "gru": lambda: recurrent(nn.GRU),
    "attention": attention,
    "own attention": own_attention,
    "transformer": lambda: Of(
        lambda s, x: s.layer(x.view(len(x), 2, 4)).reshape(len(x), WIDTH),
        layer=nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
    ),
    "words": words,
    "dropout": lambda: nn.Sequential(linear(), nn.Dropout(0.4)),
    "functional dropout": lambda: Of(
        lambda s, x: functional.dropout(s.layer(x), 0.4, s.training), layer=linear()
    ),
    "noise": lambda: Of(lambda s, x: s.layer(x + 0.1 * torch.randn_like(x)), layer=linear()),
    "weight norm": lambda: nn.utils.weight_norm(linear()),
    "parametrised weight norm": lambda: parametrizations.weight_norm(linear()),
    "spectral norm": lambda: nn.utils.spectral_norm(linear()),
    "orthogonal": lambda: parametrizations.orthogonal(linear()),
    "pruned": lambda: pruned(linear()),
    "tied": tied,
    "the same layer twice": lambda: Of(
        lambda s, x: s.layer(torch.tanh(s.layer(x))), layer=linear()
    ),
    "functional weight": lambda: Of(
        lambda s, x: s.layer(x) + 0.1 * functional.linear(x, s.layer.weight), layer=linear()
    ),
    "weight used in a product": lambda: Of(
        lambda s, x: s.layer(x) * s.layer.weight.norm(), layer=linear()
    ),
    "own function": lambda: Of(lambda s, x: Doubled.apply(x, s.layer.weight), layer=linear()),
    "gradients mixed": lambda: nn.Sequential(linear(), Of(lambda s, x: Mixing.apply(x))),
    "by keyword": lambda: Of(lambda s, x: s.layer(input=x), layer=linear()),
    "forward hook": lambda: hooked(linear(), "forward"),
    "hook before": lambda: hooked(linear(), "before"),
    "backward hook": lambda: hooked(linear(), "backward"),
    "parameter hook": lambda: hooked(linear(), "parameter"),
    "tensor hook": lambda: Of(clipped, layer=linear()),
    "own forward": lambda: with_forward(linear()),
    "zero head": lambda: nn.Sequential(linear(), nn.Tanh(), zeroed(linear())),
    "zero branch": lambda: Of(
        lambda s, x: x + s.branch(x),
        branch=nn.Sequential(linear(), nn.ReLU(inplace=True), zeroed(linear())),
    ),
    "zero gate": gate,
    "hidden mixing": lambda: Of(
        lambda s, x: x + s.head(torch.tanh(s.layer(x - x.mean(0)))),
        layer=linear(),
        head=zeroed(linear()),
    ),
    "centred": lambda: Of(lambda s, x: s.layer(x - x.mean(0)), layer=linear()),
    "flipped": lambda: Of(lambda s, x: s.layer(x.flip(0)), layer=linear()),
    "attention over samples": lambda: Of(
        lambda s, x: s.layer(torch.softmax(x @ x.T, 1) @ x), layer=linear()
    ),
    "samples second": lambda: Of(
        lambda s, x: s.layer(x.view(len(x), 2, 4).transpose(0, 1)).transpose(0, 1).flatten(1),
        layer=nn.Linear(4, 4),
    ),
    "some samples": lambda: Of(
        lambda s, x: torch.where(x[:, :1] > 0, s.first(x), s.second(x)),
        first=linear(),
        second=linear(),
    ),
    "a token": prompt,
    "counter": counter,
    "running mean": average,
    "counter in a dictionary": counts_inside,
    "noise of its own generator": noisy,
    "random numbers of Python": lambda: random_of(random.Random(0)),
    "random numbers of NumPy": lambda: random_of(np.random.default_rng(0)),
    "a mask that is kept": keeps_a_mask,
    "keeps its output": lambda: Of(remembered, layer=linear()),
    "checkpoint": lambda: Of(
        lambda s, x: checkpoint(s.layers, x, use_reentrant=False),
        layers=nn.Sequential(linear(), nn.Tanh(), linear()),
    ),
    "without gradients": lambda: Of(
        lambda s, x: s.head(s.layer(x).detach()), layer=linear(), head=linear()
    ),
    "unused layer": lambda: Of(lambda s, x: s.layer(x), layer=linear(), unused=linear()),
    "batches of six at most": lambda: Of(
        lambda s, x: s.layer(x) if len(x) <= 6 else s.layer(x)[:6], layer=linear()
    ),
    "vmap inside": lambda: Of(lambda s, x: torch.func.vmap(s.layer)(x), layer=linear()),
    "sparse words": lambda: Of(
        lambda s, x: x + s.table((x * 3).long().abs() % 7).mean(1),
        table=nn.Embedding(7, WIDTH, sparse=True),
    ),
    "words of bounded length": lambda: Of(
        lambda s, x: x + s.table((x * 3).long().abs() % 7).mean(1),
        table=nn.Embedding(7, WIDTH, max_norm=0.5),
    ),
    "words by frequency": lambda: Of(
        lambda s, x: x + s.table((x * 3).long().abs() % 7).mean(1),
        table=nn.Embedding(7, WIDTH, scale_grad_by_freq=True),
    ),
}


# Blocks that are the same algorithm when fused, and have rules.
ORDINARY = [
    "linear", "no bias", "mlp", "in-place relu", "mul_", "clamp_", "layer norm", "convolution",
    "group norm", "own attention", "words", "tied", "by keyword", "zero head", "zero branch",
    "the same layer twice", "checkpoint", "a mask that is kept", "batch norm",
    "batch norm without weights", "batch norm of images", "batch norm of volumes",
    "batch norm of sequences", "batch norm in place", "batch norm with an average",
    "batch norm without statistics", "batch norm with a frozen weight", "batch norm in evaluation",
    "batch norm first", "batch norm without statistics twice", "batch norm called directly",
    "batch norm by keyword", "zero residual batch norms", "channels last", "plain instance norm",
    "transposed convolution",
]  # fmt: skip

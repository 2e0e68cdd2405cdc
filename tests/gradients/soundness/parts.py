"""Parts of the blocks of random networks: layers, functions and hooks that make trouble."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

WIDTH = 8


class Of(nn.Module):
    """A block whose forward pass is a function of its layers and the input."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.function(self, x)


def linear(**options):
    return nn.Linear(WIDTH, WIDTH, **options)


def zeroed(layer):
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def image(x):
    return x.view(len(x), 2, 2, 2)


def conv(**options):
    return nn.Conv2d(2, 2, 3, padding=1, **options)


def half_zero(h):
    h[:, ::2] = 0.0
    return h


def viewed(h):
    h.view(-1).mul_(0.5)
    return h


def counted(self, x):
    self.count += 1
    return self.layer(x) / self.count


def remembered(self, x):
    self.last = self.layer(x)
    return self.last


def running(self, x):
    self.mean.mul_(0.9).add_(0.1 * x.detach().mean(0))
    return self.layer(x - self.mean)


def hooked(layer, kind):
    if kind == "forward":
        layer.register_forward_hook(lambda m, i, o: 2.0 * o)
    elif kind == "before":
        layer.register_forward_pre_hook(lambda m, i: (2.0 * i[0],))
    elif kind == "backward":
        layer.register_full_backward_hook(
            lambda m, i, o: tuple(g if g is None else 2.0 * g for g in i)
        )
    elif kind == "parameter":
        layer.weight.register_hook(lambda g: 3.0 * g)
    return layer


def clipped(self, x):
    h = self.layer(x)
    if h.requires_grad:
        h.register_hook(lambda g: g / (1.0 + g.norm()))
    return h


def with_forward(layer):
    layer.forward = lambda input: functional.linear(input, 2.0 * layer.weight, layer.bias)
    return layer


def with_other_forward(layer):
    layer.forward = lambda input: 2.0 * input - input.mean(0)
    return layer


def pruned(layer):
    return prune.random_unstructured(layer, "weight", 0.5)


def counter():
    block = Of(counted, layer=linear())
    block.count = 0
    return block


def average():
    block = Of(running, layer=linear())
    block.register_buffer("mean", torch.zeros(WIDTH))
    return block


def counted_inside(self, x):
    self.counts["passes"] += 1
    return self.layer(x) * (1.0 if self.counts["passes"] < 12 else 2.0)


def counts_inside():
    block = Of(counted_inside, layer=linear())
    block.counts = {"passes": 0}
    return block


def scaled_at_random(self, x):
    return self.layer(x) * float(self.generator.random())


def noisy():
    def forward(self, x):
        noise = torch.randn(x.shape, generator=self.generator, dtype=x.dtype)
        return self.layer(x + 0.1 * noise)

    block = Of(forward, layer=linear())
    block.generator = torch.Generator().manual_seed(0)
    return block


def random_of(generator):
    block = Of(scaled_at_random, layer=linear())
    block.generator = generator
    return block


def remembered_mask(self, x):
    if "mask" not in self.masks:
        self.masks["mask"] = torch.arange(WIDTH, dtype=x.dtype)
    return self.layer(x * self.masks["mask"])


def keeps_a_mask():
    block = Of(remembered_mask, layer=linear())
    block.masks = {}
    return block


def prompt():
    block = Of(lambda self, x: self.layer(x + self.token), layer=linear())
    block.token = nn.Parameter(torch.randn(WIDTH))
    return block


def gate():
    block = Of(lambda self, x: x + self.alpha * self.layer(x), layer=linear())
    block.alpha = nn.Parameter(torch.zeros(()))
    return block


def tied(x_first=True):
    block = nn.Sequential(linear(), nn.Tanh(), linear())
    block[2].weight = block[0].weight
    return block


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return 2.0 * x @ weight.T

    @staticmethod
    def backward(ctx, back):
        x, weight = ctx.saved_tensors
        return 2.0 * back @ weight, 2.0 * back.T @ x


class Mixing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, back):
        return back - 0.5 * back.mean(0)


def frozen_norm():
    norm = nn.BatchNorm1d(WIDTH)
    norm.weight.requires_grad_(False)
    return nn.Sequential(linear(), norm)


def norm_in_evaluation():
    block = nn.Sequential(linear(), nn.BatchNorm1d(WIDTH), linear())
    nn.init.uniform_(block[1].running_mean)
    block[1].eval()
    return block


def norms_of_one_memory():
    block = nn.Sequential(nn.BatchNorm1d(WIDTH), linear(), nn.BatchNorm1d(WIDTH))
    block[2].running_mean = block[0].running_mean
    return block


class OwnNorm(nn.BatchNorm1d):
    def forward(self, x):
        return super().forward(x - x.mean())


def statistics_reset(self, x):
    if float(self.norm.num_batches_tracked) > 3:
        self.norm.running_mean.mul_(0.5)
    return self.norm(self.layer(x))


def residual_norms():
    def forward(self, x):
        h = torch.relu_(self.first(self.conv(image(x))))
        return torch.relu(x + self.second(self.conv2(h)).flatten(1))

    return Of(
        forward,
        conv=conv(bias=False),
        conv2=conv(bias=False),
        first=nn.BatchNorm2d(2),
        second=zeroed(nn.BatchNorm2d(2)),
    )


def recurrent(kind):
    return Of(
        lambda self, x: self.rnn(x.view(len(x), 2, 4))[0].reshape(len(x), WIDTH),
        rnn=kind(4, 4, batch_first=True),
    )


def attention():
    return Of(
        lambda self, x: x + self.attention(*[x.view(len(x), 2, 4)] * 3)[0].reshape(len(x), WIDTH),
        attention=nn.MultiheadAttention(4, 2, batch_first=True),
    )


def own_attention():
    def forward(self, x):
        q, k, v = self.three(x.view(len(x), 2, 4)).chunk(3, dim=-1)
        h = functional.scaled_dot_product_attention(q, k, v)
        return x + self.out(h).reshape(len(x), WIDTH)

    return Of(forward, three=nn.Linear(4, 12), out=nn.Linear(4, 4))


def words():
    return Of(
        lambda self, x: x + self.table((x * 3).long().abs() % 7).mean(1),
        table=nn.Embedding(7, WIDTH),
    )

"""The fused engine on batches, outputs, losses and modes of many kinds: as separate passes."""

import contextlib

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from avalanche_emgd.gradients import FusedEngine, PlainEngine

from .parts import WIDTH, Of, linear
from .test_never_wrong import close

TICKS, CHANGE = 9, 4
SIZES = (4, 3, 5)


def model_of(forward=lambda self, x: self.head(torch.tanh(self.layer(x)))):
    torch.manual_seed(0)
    return Of(forward, layer=linear(), head=nn.Linear(WIDTH, 5)).double()


def tensors(k, sizes=SIZES):
    torch.manual_seed(k)
    return [torch.randn(b, WIDTH, dtype=torch.float64) for b in sizes]


def squares(outputs, k):
    return [output.square().mean() for output in outputs]


def compare(
    model, batches=tensors, losses=squares, mode=lambda k: contextlib.nullcontext(), ticks=TICKS
):
    """Compare engines, tick by tick; return how many ticks were fused, and the reason."""
    fused, plain, count = FusedEngine(model), PlainEngine(), 0
    parameters = list(model.parameters())
    for k in range(ticks):
        found = []
        for engine in (fused, plain):
            with mode(k):
                made = engine.forward(model, batches(k))
                count += made.joined is not None
                given = losses(made.outputs, k)
                gradients = made.gradients(given, parameters)
            values = torch.stack([loss.detach() for loss in given])
            found.append((gradients.rows.clone(), values, gradients.used))
        (rows, values, used), (right, expected, touched) = found
        assert close(rows, right, float(right.abs().max())), (k, fused.reason)
        assert close(values, expected, float(expected.abs().max())), (k, fused.reason)
        assert list(used) == list(touched)
        assert not any(module._forward_hooks for module in model.modules())
    return count, fused.reason


def first(self, batch):
    return self.head(torch.tanh(self.layer(batch[0])))


def by_dtype(self, x):
    return self.head(self.layer(x.double())) * (2.0 if x.dtype == torch.float32 else 1.0)


def mean_of_rows(self, x):
    return self.head(self.layer(x).flatten(1, -2).mean(1))


SEPARATE = {
    "dictionaries": (
        lambda self, batch: self.head(self.layer(batch["x"])),
        lambda k: [{"x": x} for x in tensors(k)],
    ),
    "nothing beside": (first, lambda k: [(x, None) for x in tensors(k)]),
    "a number beside": (
        lambda self, batch: self.head(self.layer(batch[0]) * batch[1]),
        lambda k: [(x, 1 + i) for i, x in enumerate(tensors(k))],
    ),
    "words beside": (first, lambda k: [(x, ["word"] * len(x)) for x in tensors(k)]),
    "other lengths beside": (first, lambda k: [(x, torch.ones(2)) for x in tensors(k)]),
    "lists of numbers": (
        lambda self, batch: self.head(self.layer(torch.tensor(batch, dtype=torch.float64))),
        lambda k: [x.tolist() for x in tensors(k)],
    ),
    "several dtypes": (
        by_dtype,
        lambda k: [x.float() if i == 1 else x for i, x in enumerate(tensors(k))],
    ),
    "no dimensions": (
        lambda self, x: self.head(self.layer(x.expand(WIDTH))),
        lambda k: [torch.tensor(float(i)).double() for i in (1, 2, 3)],
    ),
    "sparse": (
        lambda self, x: self.head(self.layer(x.to_dense())),
        lambda k: [x.to_sparse() for x in tensors(k)],
    ),
}


@pytest.mark.parametrize("kind", SEPARATE)
def test_batches_that_cannot_be_joined_take_separate_passes(kind):
    forward, batches = SEPARATE[kind]

    def seeded(k):
        torch.manual_seed(k)
        return batches(k)

    assert compare(model_of(forward), seeded) == (
        0,
        "its batches cannot be put one after the other",
    )


def test_sequences_of_several_lengths_take_separate_passes():
    def batches(k):
        torch.manual_seed(k)
        lengths = (2, 3, 4) if k == CHANGE else (2, 2, 2)
        return [torch.randn(4, length, WIDTH, dtype=torch.float64) for length in lengths]

    fused, reason = compare(model_of(mean_of_rows), batches)
    assert fused > 0
    assert reason is None


def test_tuples_and_lists_are_fused():
    for kind in (tuple, list):
        model = model_of(lambda self, batch: self.head(self.layer(batch[0]) * batch[1]))
        fused, reason = compare(
            model, lambda k, kind=kind: [kind((x, x.cos())) for x in tensors(k)]
        )
        assert reason is None
        assert fused >= 4


OUTPUTS = {
    "two": (lambda self, x: (self.head(self.layer(x)), x), lambda o: o[0]),
    "by name": (lambda self, x: {"logits": self.head(self.layer(x))}, lambda o: o["logits"]),
    "a scalar": (lambda self, x: self.head(self.layer(x)).mean(), lambda o: o),
    "sparse": (lambda self, x: self.head(self.layer(x)).to_sparse(), lambda o: o.to_dense()),
    "a list": (lambda self, x: list(self.head(self.layer(x))), torch.stack),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_that_are_not_tensors_of_samples_take_separate_passes(kind):
    forward, tensor_of = OUTPUTS[kind]
    model = model_of(forward)
    found = compare(model, losses=lambda outputs, k: squares(map(tensor_of, outputs), k))
    assert found == (0, "its outputs are not one for each sample")


def test_outputs_that_are_a_parameter():
    model = model_of(lambda self, x: self.layer.weight)
    fused, reason = compare(model, lambda k: tensors(k, (4, 4)), squares)
    assert fused == 0
    assert reason == "layer.weight is the output itself"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("at", [0, CHANGE])
def test_fewer_losses_than_objectives(number, at):
    def losses(outputs, k):
        return squares(outputs, k)[: number if k >= at else None]

    fused, _ = compare(model_of(), losses=losses)
    assert (fused > 0) is (at > 0)


def test_more_losses_than_objectives():
    model, sizes = model_of(), (4, 4)
    fused, plain = FusedEngine(model), PlainEngine()
    for k in range(TICKS):
        found = []
        for engine in (fused, plain):
            made = engine.forward(model, tensors(k, sizes))
            outputs = made.outputs
            losses = [*squares(outputs, k), *(output.mean() for output in outputs)]
            rows = made.gradients(losses, list(model.parameters()), retain_graph=True).rows
            found.append(rows.clone())
        assert close(*found, float(found[1].abs().max()))


def test_outputs_can_be_modified_in_place():
    def losses(outputs, k):
        if k >= CHANGE:
            return [output.mul_(2.0).square().mean() for output in outputs]
        return squares(outputs, k)

    fused, _ = compare(model_of(), losses=losses)
    assert fused > 0


class Doubling(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        return 2.0 * found if func is functional.linear else found


class Centring(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        return found - found.mean(0) if func is functional.linear else found


class CentringTanh(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        return found - found.mean(0) if func is torch.ops.aten.tanh.default else found


def saved_in_part():
    return torch.autograd.graph.saved_tensors_hooks(
        lambda saved: saved.detach().clone(), lambda saved: 0.5 * saved
    )


MODES = [Doubling, Centring, CentringTanh, saved_in_part]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("at", [0, CHANGE])
def test_modes(mode, at):
    fused, reason = compare(
        model_of(), mode=lambda k: mode() if k >= at else contextlib.nullcontext()
    )
    assert reason is not None
    assert (fused > 0) is (at > 0)


@pytest.mark.parametrize(
    ("differs", "sizes"), [(lambda n: n > 12, (4, 4, 8)), (lambda n: n < 4, (4, 2, 4))]
)
def test_models_that_look_at_the_number_of_samples(differs, sizes):
    """More samples than ever, or fewer of an objective, are compared before they are trusted."""

    def forward(self, x):
        return self.head(self.layer(x)) * (2.0 if differs(len(x)) else 1.0)

    fused, reason = compare(
        model_of(forward), lambda k: tensors(k, sizes if k == CHANGE else (4, 4, 4))
    )
    assert fused > 0
    assert reason == "its outputs differ from those of separate passes"


def test_no_batches():
    engine = FusedEngine(model_of())
    assert list(engine.forward(model_of(), []).outputs) == []


def test_a_leaf_that_is_no_parameter_is_differentiated_from_the_fourth_tick_on():
    scale = torch.ones(WIDTH, dtype=torch.float64, requires_grad=True)
    model = nn.Sequential(Of(lambda s, x: s.layer(x * scale), layer=linear())).double()
    fused, plain = FusedEngine(model), PlainEngine()
    parameters = list(model.parameters())
    for k in range(8):
        batches = [torch.randn(4, WIDTH, dtype=torch.float64) for _ in range(3)]
        if k == 4:
            parameters.append(scale)
        found, used = [], []
        for engine in (fused, plain):
            made = engine.forward(model, batches)
            gradients = made.gradients(squares(made.outputs, 0), parameters)
            used.append(list(gradients.used))
            found.append(gradients.rows.clone())
        assert close(*found, float(found[1].abs().max()))
        assert used[0] == used[1]


def test_parameters_that_are_asked_for_later_are_compared_first():
    """The batch is as long as the sequences, and comes second: only a comparison can tell."""

    def forward(self, x):
        h = self.layer(x.view(len(x), 6, 4).transpose(0, 1)).transpose(0, 1)
        return self.head(h.flatten(1))

    torch.manual_seed(0)
    model = Of(forward, layer=nn.Linear(4, 4), head=nn.Linear(24, 5)).double()
    fused, plain = FusedEngine(model), PlainEngine()
    for k in range(9):
        batches = [torch.randn(2, 24, dtype=torch.float64) for _ in range(3)]
        parameters = list((model.head if k < 5 else model).parameters())
        found = []
        for engine in (fused, plain):
            made = engine.forward(model, batches)
            is_fused = made.joined is not None
            found.append(made.gradients(squares(made.outputs, 0), parameters).rows.clone())
            if engine is fused and k == 4:
                assert is_fused
        assert close(*found, float(found[1].abs().max()))
    assert "gradients differ" in fused.reason

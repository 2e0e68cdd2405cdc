import pytest
import torch
from torch import nn

from avalanche_emgd.training import MixedPrecision
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of


def trained(benchmark, precision, model=None, lr=0.05, **options):
    strategy = toy_strategy(model=model, lr=lr, memory_size=12, precision=precision, **options)
    strategy.train(benchmark.train_stream)
    return strategy


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_gives_nearly_the_same_weights(precision):
    benchmark = toy_benchmark()
    exact, fewer = trained(benchmark, None), trained(benchmark, precision)
    assert fewer.gradients.dtype == fewer.objective_losses.dtype == torch.float32
    assert fewer.gramian.dtype == torch.float64
    assert all(p.dtype == torch.float32 for p in fewer.model.parameters())
    a, b = weights_of(exact.model), weights_of(fewer.model)
    assert not torch.equal(a, b)
    assert torch.allclose(a, b, atol=0.05)


def test_training_forwards_in_fewer_bits_and_tests_in_full():
    seen = {}

    class Spy(nn.Linear):
        def forward(self, x):
            out = super().forward(x)
            seen[self.training] = out.dtype
            return out

    benchmark = toy_benchmark()
    strategy = trained(benchmark, "bfloat16", Spy(5, benchmark.num_classes))
    strategy.eval(benchmark.test_stream)
    assert seen == {True: torch.bfloat16, False: torch.float32}


class Scaled(nn.Module):
    """Loss whose gradients float16 cannot hold, unless it is scaled."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, output, target):
        return self.factor * nn.functional.cross_entropy(output, target)


@pytest.mark.parametrize("factor", [1e-6, 1e3])
def test_float16_keeps_gradients_that_are_too_small_or_too_large_for_it(factor):
    benchmark = toy_benchmark()

    def first_gradients(precision, factor):
        strategy = toy_strategy(lr=0.0, criterion=Scaled(factor), precision=precision)
        strategy.train(benchmark.train_stream[0])
        return strategy.gradients.clone(), strategy.precision.scale

    expected, _ = first_gradients(None, 1.0)
    found, scale = first_gradients("float16", factor)
    assert scale == 2.0**16 if factor < 1.0 else scale < 2.0**10
    assert (found / factor - expected).norm() < 0.01 * expected.norm()


def test_the_scale_grows_after_clean_ticks_and_halves_on_overflow():
    precision = MixedPrecision("float16")
    clean, overflow = torch.eye(2), torch.full((2, 2), float("nan"))
    for _ in range(2000):
        assert precision.accept(clean)
    assert precision.scale == 2.0**17
    assert not precision.accept(overflow)
    assert precision.scale == 2.0**16
    while precision.scale > 1.0:
        assert not precision.accept(overflow)
    assert precision.accept(overflow), "what is left is not the scale's fault"


@pytest.mark.parametrize("precision", [None, "float16"])
def test_parameters_that_are_nan_are_still_reported(precision):
    model = toy_model()
    with torch.no_grad():
        next(model.parameters())[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"objective 'task0'.*NaN or infinite"):
        trained(toy_benchmark(), precision, model)


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="`precision` must be bfloat16 or float16, found 'half'"):
        toy_strategy(precision="half")


def test_float16_is_refused_where_the_memory_is_edited():
    with pytest.raises(ValueError, match="`precision` 'float16' is not for `memory_editing`"):
        toy_strategy(precision="float16", memory_size=12, memory_editing="distance")

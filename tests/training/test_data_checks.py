"""Data that do not fit to model or memory are refused before the first tick."""

import random
import re

import numpy as np
import pytest
import torch
from avalanche.benchmarks import (
    benchmark_from_datasets,
    benchmark_with_validation_stream,
    class_incremental_benchmark,
    split_online_stream,
)
from avalanche.benchmarks.scenarios import DatasetExperience, make_stream
from avalanche.benchmarks.utils import (
    AvalancheDataset,
    DataAttribute,
    TransformGroups,
    as_classification_dataset,
    make_avalanche_dataset,
)
from avalanche.models import as_multitask
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import MLP, EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.training.data_checks import check_data
from tests.toy import toy_benchmark, toy_datasets


class Counting(nn.Module):
    """Model that counts its calls."""

    def __init__(self, model):
        super().__init__()
        self.model, self.calls = model, 0

    def forward(self, x):
        self.calls += 1
        return self.model(x)


def strategy_of(model, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return EMGDStrategy(model, optimizer=optimizer, evaluator=None, **options)


def benchmark_of(convert, convert_test=None, features=4):
    sets = toy_datasets([8, 8], features=features)
    train, test = (
        [TensorDataset(f(d.tensors[0]), d.tensors[1]) for d in sets]
        for f in (convert, convert_test or convert)
    )
    return parallel_benchmark(train, test, Timeline.overlapping([2, 2], 0.5), batch_size=4)


INPUTS = {
    "float64": (torch.Tensor.double, None, "which are float64 [5]"),
    "float16": (torch.Tensor.half, None, "which are float16 [5]"),
    "int64": (torch.Tensor.long, None, "which are int64 [5]"),
    "uint8": (torch.Tensor.byte, None, "which are uint8 [5]"),
    "bool": (torch.Tensor.bool, None, "which are bool [5]"),
    "complex": (lambda x: x + 0j, None, "which are complex64 [5]"),
    "test shape": (torch.Tensor.float, lambda x: x[:, :4], "which are float32 [4]"),
    "test type": (torch.Tensor.float, torch.Tensor.double, "which are float64 [5]"),
}


@pytest.mark.parametrize(("train", "test", "message"), INPUTS.values(), ids=INPUTS)
def test_inputs_that_the_model_cannot_take(train, test, message):
    model = MLP(4, in_features=5)
    before = [parameter.clone() for parameter in model.parameters()]
    pattern = rf"`model` cannot take inputs of task 'task\d', {re.escape(message)}: .* Convert them"
    with pytest.raises(ValueError, match=pattern):
        strategy_of(model).train(benchmark_of(train, test).train_stream)
    assert all(map(torch.equal, before, model.parameters()))


def test_an_error_of_the_model_itself_is_named():
    class Broken(MLP):
        def forward(self, x):
            return self.head(x)

    pattern = "`model` fails on inputs of task 'task0', which are float32 .*, with AttributeError: "
    with pytest.raises(ValueError, match=pattern) as found:
        strategy_of(Broken(4, in_features=5)).train(benchmark_of(torch.Tensor.float).train_stream)
    assert "Convert" not in str(found.value)
    assert isinstance(found.value.__cause__, AttributeError)


def test_models_for_such_inputs_are_trained():
    doubles = benchmark_of(torch.Tensor.double)
    strategy = strategy_of(MLP(4, in_features=5).double(), memory_size=4)
    strategy.train(doubles.train_stream)
    assert strategy.memory.inputs.dtype == torch.float64

    words = benchmark_of(lambda x: x.abs().long() % 7)
    embedding = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(15, 4))
    strategy = strategy_of(embedding, memory_size=4)
    strategy.train(words.train_stream)
    assert strategy.memory.inputs.dtype == torch.int64

    class Casting(MLP):
        def forward(self, x):
            return super().forward(x.float())

    strategy_of(Casting(4, in_features=5)).train(doubles.train_stream)


def test_a_trial_of_the_model_changes_no_state():
    model = Counting(MLP(4, in_features=5))
    check_data(strategy_of(model), benchmark_of(torch.Tensor.float).train_stream)
    assert model.calls == 0
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    unusual = nn.Sequential(nn.Dropout(0.5), MLP(4, in_features=5).double())
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    check_data(strategy_of(unusual), benchmark_of(torch.Tensor.double).train_stream)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()  # noqa: NPY002
    assert unusual[0].training


def test_models_whose_heads_grow_later_are_not_forwarded():
    benchmark = benchmark_of(torch.Tensor.double)
    model = as_multitask(MLP(4, in_features=5).double(), "classifier").double()
    check_data(strategy_of(model), benchmark.train_stream)


def test_a_memory_needs_one_kind_of_inputs():
    sets = [TensorDataset(torch.randn(8, 1, 4 + t, 4), torch.full((8,), t)) for t in range(2)]
    benchmark = parallel_benchmark(sets, sets, Timeline.serial([2, 2]), batch_size=4)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 2))
    strategy_of(pooled).train(benchmark.train_stream)
    with pytest.raises(ValueError, match="`memory_size` needs inputs of one shape and type in all"):
        strategy_of(pooled, memory_size=4).train(benchmark.train_stream)


def cropped(x):
    return x[:3]


def test_a_memory_needs_inputs_as_they_are_trained_on():
    sets = [
        make_avalanche_dataset(
            data,
            data_attributes=[DataAttribute(data.tensors[1].tolist(), "targets")],
            transform_groups=TransformGroups({"train": (cropped, None), "eval": (None, None)}),
        )
        for data in toy_datasets([8, 8])
    ]
    benchmark = parallel_benchmark(
        sets, toy_datasets([8, 8]), Timeline.serial([2, 2]), batch_size=4
    )
    model = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.AdaptiveAvgPool1d(3), nn.Flatten(1),
                          nn.Linear(3, 4))  # fmt: skip
    strategy_of(model).train(benchmark.train_stream)
    with pytest.raises(
        ValueError, match=r"float32 \[3\] after training transforms and float32 \[5\]"
    ):
        strategy_of(model, memory_size=4).train(benchmark.train_stream)


def test_whole_numbers_are_not_edited():
    model = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(15, 4))
    strategy = strategy_of(model, memory_size=4, memory_editing="distance")
    with pytest.raises(
        ValueError, match="`memory_editing` is for floating-point inputs, found int64"
    ):
        strategy.train(benchmark_of(lambda x: x.abs().long() % 7).train_stream)


def ordinary(x, y, targets=None, **options):
    """Make a stream of two experiences of an ordinary Avalanche benchmark."""
    whole = TensorDataset(x, y)
    halves = []
    for part in (range(0, len(x), 2), range(1, len(x), 2)):
        own = (y if targets is None else targets)[list(part)].tolist()
        data = make_avalanche_dataset(
            torch.utils.data.Subset(whole, list(part)),
            data_attributes=[DataAttribute(own, "targets")],
            **options,
        )
        halves.append(data)
    return benchmark_from_datasets(train=halves).train_stream


def minus(target):
    return 1 - target


X = torch.randn(24, 5)
Y = torch.arange(24) % 2
NAN = X.clone()
NAN[13] = torch.nan
ORDINARY = {
    "regression": (X, torch.rand(24), {}, "must have integer class labels, one for each"),
    "vectors": (X, torch.rand(24, 3), {}, "must have integer class labels, one for each"),
    "several labels": (X, torch.eye(3)[Y], {}, "replace one-hot vectors by their argmax"),
    "whole floats": (X, Y.float(), {}, "samples whose targets are the integers in the `targets`"),
    "columns": (X, Y[:, None], {"targets": Y}, "samples whose targets are the integers in"),
    "bytes": (X, Y.byte(), {}, "samples whose targets are the integers in the `targets`"),
    "transformed": (
        X, Y,
        {"transform_groups": TransformGroups({"train": (None, minus), "eval": (None, minus)})},
        "apply its target transform to both",
    ),
    "NaN": (NAN, Y, {}, "`experiences[1]`: the input of sample 6 has NaN"),
    "other targets": (X, Y, {"targets": 1 - Y}, "apply its target transform to both"),
}  # fmt: skip


@pytest.mark.parametrize(("x", "y", "options", "message"), ORDINARY.values(), ids=ORDINARY)
@pytest.mark.parametrize("memory_size", [0, 4])
def test_ordinary_experiences_are_checked_before_the_first(x, y, options, message, memory_size):
    model = Counting(MLP(2, in_features=5))
    strategy = strategy_of(model, memory_size=memory_size)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        strategy.train(ordinary(x, y, **options))
    assert "`experiences[" in str(error.value)
    assert model.calls == 0


@pytest.mark.parametrize("kind", ["online", "generated"])
def test_generated_streams_are_checked_one_by_one(kind):
    stream = ordinary(X, torch.rand(24))
    if kind == "online":
        stream = split_online_stream(stream, experience_size=4)
    else:
        stream = make_stream("train", (experience for experience in list(stream)))
    model = Counting(MLP(2, in_features=5))
    with pytest.raises(ValueError, match="must have integer class labels"):
        strategy_of(model).train(stream, eval_streams=[])
    assert model.calls == 0


def test_sound_ordinary_experiences_are_trained_on():
    strategy = strategy_of(MLP(2, in_features=5), memory_size=4)
    stream = ordinary(X, Y)
    strategy.train(stream)
    strategy.train(stream[0])
    strategy.train([stream[1], stream[0]])
    online = split_online_stream(ordinary(X, Y), experience_size=4)
    strategy_of(MLP(2, in_features=5)).train(online)
    assert len(strategy.memory) == 4


def test_experiences_without_targets():
    data = AvalancheDataset([TensorDataset(X, Y)])
    with pytest.raises(ValueError, match="must have class labels in the attribute `targets`"):
        strategy_of(MLP(2, in_features=5)).train(DatasetExperience(dataset=data))


def rebuilt(name):
    benchmark = toy_benchmark()
    if name == "validation":
        return benchmark_with_validation_stream(benchmark, 0.5).train_stream
    if name == "validation, one experience":
        return benchmark_with_validation_stream(benchmark, 0.5).streams["valid"][0]
    if name == "online":
        return split_online_stream(benchmark.train_stream, experience_size=4)
    if name == "generated":
        found = (DatasetExperience(dataset=e.dataset) for e in benchmark.train_stream)
        return make_stream("train", found)
    if name == "parts":
        data = [e.dataset.subset(range(4)) for e in benchmark.train_stream]
        return benchmark_from_datasets(train=data).train_stream
    return [DatasetExperience(dataset=benchmark.train_stream[0].dataset)]


LOST = ["validation", "validation, one experience", "parts", "list", "online", "generated"]


@pytest.mark.parametrize("name", LOST)
def test_streams_that_have_lost_their_ticks_are_refused(name):
    stream = rebuilt(name)
    model = Counting(MLP(6, in_features=5))
    strategy = strategy_of(model)
    with pytest.raises(ValueError, match=r"without its ticks and masks, as benchmark_with_val"):
        strategy.train(stream, eval_streams=[])
    if name not in ("online", "generated"):
        with pytest.raises(ValueError, match=r"without its ticks and masks"):
            strategy.eval(stream)
    assert model.calls == 0


def test_streams_that_keep_their_ticks_are_taken():
    benchmark = toy_benchmark()
    strategy = strategy_of(MLP(6, in_features=5), memory_size=6)
    strategy.train([benchmark.train_stream[0]])
    strategy.train(benchmark.train_stream[1:])
    strategy.eval(benchmark.test_stream)
    (data,) = toy_datasets([24])
    data.targets = data.tensors[1].tolist()
    data = as_classification_dataset(data)
    serial = class_incremental_benchmark({"train": data, "test": data}, num_experiences=2)
    strategy_of(MLP(2, in_features=5)).train(
        benchmark_with_validation_stream(serial, 0.5).train_stream
    )

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import make_avalanche_dataset
from avalanche.training.plugins import ReplayPlugin
from torch import nn

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.reader import Reader
from avalanche_emgd.training.state.writer import KIND, KnownObjects, Writer
from tests.toy import toy_datasets
from tests.training.common import toy_strategy
from tests.training.state.common import as_file, from_file
from tests.training.state.interrupted import interrupted, serial_stream, train_stream


class Counting:
    """A weighting of a user's, with a state of its own."""

    def __init__(self):
        self.calls = {"so far": 0}

    def __call__(self, gramian):
        self.calls["so far"] += 1
        return torch.full((len(gramian),), 1.0 / self.calls["so far"], dtype=torch.float64)


def test_a_weighting_of_a_user():
    def make(plugins):
        return toy_strategy(
            MultiGradientTemplate, memory_size=12, plugins=plugins, weighting=Counting()
        )

    interrupted(make, train_stream, ticks=[2, 6])


def test_a_plugin_that_holds_a_data_set_is_named():
    strategy = toy_strategy(memory_size=0, plugins=[ReplayPlugin(10)])
    strategy.train(serial_stream()[:1])
    with pytest.raises(StateError, match=r"ReplayPlugin.*`memory_size`"):
        strategy.state_dict()


class Holder:
    """Has attributes."""

    def __init__(self, **values):
        vars(self).update(values)


def written(**values):
    return Writer(KnownObjects(), "`plugins`").attributes(Holder(**values))


def test_only_plain_values_are_left():
    state = written(
        number=np.float64(0.5),
        kind=torch.float16,
        function=print,
        mixed=[1, print],
        object=object(),
        module=nn.Linear(1, 1),
        words=np.array(["a"]),
    )
    assert set(state) == {"number", "kind", "module"}
    assert type(state["number"]) is float
    assert from_file(as_file(state))["kind"] == {KIND: "dtype", "value": "torch.float16"}


def test_tensors_are_copied_and_known_objects_left_out():
    tensor, known = torch.ones(2), Holder(a=1)
    holder = Holder(tensor=tensor, known=known, itself=None)
    holder.itself = holder
    state = Writer(KnownObjects([known]), "x").attributes(holder)
    tensor.zero_()
    assert set(state) == {"tensor"}
    assert torch.equal(state["tensor"], torch.ones(2))


def test_bytes_and_complex_numbers_are_plain():
    state = from_file(as_file(written(content=b"\x00a", root=1j - 2.0)))
    holder = Holder(content=b"", root=0j)
    Reader(nn.Linear(1, 1), torch.device("cpu"), "x").attributes(holder, state)
    assert vars(holder) == {"content": b"\x00a", "root": 1j - 2.0}


def test_references_to_parameters_and_functions_in_dictionaries_stay():
    model, other = nn.Linear(2, 1), nn.Linear(2, 1)

    def holder_of(own):
        return Holder(
            listed=list(own.parameters()),
            named={"weight": own.weight, "hits": 3, "act": torch.relu},
            one=own.bias,
        )

    state = Writer(KnownObjects(model.parameters()), "x").attributes(holder_of(model))
    holder = holder_of(other)
    holder.named["hits"] = 0
    Reader(other, torch.device("cpu"), "x").attributes(holder, from_file(as_file(state)))
    assert [id(p) for p in holder.listed] == [id(p) for p in other.parameters()]
    assert holder.one is other.bias
    assert holder.named["weight"] is other.weight
    assert (holder.named["hits"], holder.named["act"]) == (3, torch.relu)


def test_data_sets_are_refused_by_name():
    data = make_avalanche_dataset(toy_datasets([4])[0])
    for value in (data, [data], {"a": data}):
        with pytest.raises(StateError, match=r"`plugins`\.own` holds samples of a data set"):
            written(own=value)


def test_an_object_that_is_gone_is_not_taken_for_another():
    known = KnownObjects([torch.zeros(1)])
    known.add(torch.zeros(1))
    assert not any(torch.zeros(1) in known for _ in range(3))
    copied = known.copy()
    copied.add(own := object())
    assert own in copied
    assert own not in known

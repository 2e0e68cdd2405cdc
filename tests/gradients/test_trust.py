"""When passes are compared, and what is remembered of comparisons."""

from torch import nn

from avalanche_emgd.gradients.trust import Trust
from tests.gradients.layers import Unknown

SHAPE, SIZES = ("shape",), [4, 3]


def trusted(model):
    trust = Trust()
    trust.attach(model)
    trust.next_tick()
    trust.compared(SHAPE, [True, True], list(model.parameters()), SIZES)
    return trust


def model_of():
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def test_comparisons_are_made_at_powers_of_two():
    trust = trusted(model_of())
    choices = [trust.next_tick() for _ in range(2, 18)]
    compared = [k for k, choice in enumerate(choices, 2) if choice == "compare"]
    assert compared == [2, 4, 8, 16]
    assert set(choices) == {"compare", "fuse"}


def test_a_layer_without_gradients_leaves_a_reason():
    model = model_of()
    trust = Trust()
    trust.attach(model)
    parameters = list(model.parameters())
    trust.compared(SHAPE, [True, False], parameters, SIZES)
    assert "no gradient to compare yet" in trust.reason
    assert not trust.has_seen_shape(SHAPE)
    trust.compared(SHAPE, [False, True], parameters, SIZES)  # together they are whole
    assert trust.reason is None
    assert trust.has_seen_shape(SHAPE)
    assert not trust.has_seen_shape(("another",))


def test_sizes_within_those_that_were_compared():
    trust = trusted(model_of())
    assert trust.has_seen_sizes([3, 4])
    assert trust.has_seen_sizes([3, 3])
    assert not trust.has_seen_sizes([2, 4])  # fewer of one objective
    assert not trust.has_seen_sizes([4, 4])  # more in all


def test_other_parameters_begin_anew():
    model = model_of()
    trust = trusted(model)
    assert trust.has_seen_parameters(list(model.parameters()))
    assert not trust.has_seen_parameters(list(model.parameters())[:2])
    assert not trust.has_seen_parameters(list(model_of().parameters()))
    trust.begin_anew()
    assert trust.next_tick() == "compare"
    assert not trust.has_seen_shape(SHAPE)


def test_a_refused_model_stays_refused_until_it_changes():
    model = model_of()
    trust = trusted(model)
    trust.refuse("a reason")
    assert {trust.next_tick() for _ in range(20)} == {"separate"}
    trust.examine()
    assert trust.reason == "a reason"
    model.append(nn.ReLU())
    trust.examine()
    assert trust.reason is None
    assert trust.next_tick() == "compare"


def test_attributes_that_a_pass_writes_are_no_change_where_it_is_refused():
    model = model_of()
    trust = trusted(model)
    trust.refuse("it counts its passes")
    model.count = 1
    trust.settle()
    trust.examine()
    assert trust.reason == "it counts its passes"


def test_models_known_to_be_unfit_are_refused_at_once():
    trust = Trust()
    trust.attach(nn.Sequential(nn.Linear(3, 3), Unknown()))
    assert "no gradient rule for Unknown" in trust.reason
    assert trust.next_tick() == "separate"
    assert Trust().reason == "it has no model yet"

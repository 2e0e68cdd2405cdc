"""Settings that a state and the strategy that loads it have in common."""

from functools import partial

import pytest
import torch
from torch import nn

from avalanche_emgd.optim import GMC, GS, EMGDWeighting
from avalanche_emgd.training.ingredients import MIR, Asymmetric
from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.settings import check_settings, described
from tests.training.common import toy_strategy


def test_descriptions():
    assert described(None) == "None"
    assert described(torch.tensor(0.5).item()) == "0.5"
    assert described(("a", 1)) == "('a', 1)"
    assert described(print) == "print"
    assert described(partial(print, 1)).startswith("partial(")
    assert described(nn.CrossEntropyLoss(label_smoothing=0.1)) == (
        "CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.1)"
    )
    weighting = EMGDWeighting(GMC(exponent=1.0, decay=0.0, lower_bound=0.0))
    expected = "EMGDWeighting(elastic=GMC(exponent=1.0, decay=0.0, lower_bound=0.0))"
    assert described(weighting) == expected
    weighting(torch.eye(2))
    assert described(weighting) == expected  # without its state


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("memory_size", {"memory_size": 10}),
        ("memory_objectives", {"memory_objectives": "per-task"}),
        ("memory_loss", {"memory_loss": "stored-logits"}),
        ("memory_retrieval", {"memory_retrieval": MIR()}),
        ("memory_selection", {"memory_selection": "gss"}),
        ("memory_editing", {"memory_editing": "distance"}),
        ("memory_augmentation", {"memory_augmentation": torch.square}),
        ("memory_augmentation", {"memory_augmentation": "crops-flips"}),
        ("competition", {"competition": Asymmetric(0.5)}),
        ("weighting", {"elastic": GS()}),
        ("weighting", {"elastic": GMC(exponent=1.0)}),
        ("criterion", {"criterion": nn.CrossEntropyLoss(label_smoothing=0.1)}),
        ("train_epochs", {"train_epochs": 2}),
        ("precision", {"precision": "bfloat16"}),
    ],
)
def test_a_strategy_with_other_arguments_is_refused(name, changed):
    state = toy_strategy(memory_size=12).state_dict()
    other = toy_strategy(**{"memory_size": 12, **changed})
    with pytest.raises(
        StateError, match=f"^`{name}` is .* in the saved strategy: make the"
    ) as found:
        other.load_state_dict(state)
    assert "\n" not in str(found.value)


def test_arguments_that_may_change():
    state = toy_strategy(memory_size=12).state_dict()
    other = toy_strategy(memory_size=12, on_nonfinite="skip", eval_mb_size=7, seed=3)
    other.load_state_dict(state)
    assert other.nonfinite.action == "skip"


def test_a_hostile_description_is_one_line():
    with pytest.raises(StateError) as found:
        check_settings({"seed": "1\n" * 10_000}, {"seed": "2"})
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 500

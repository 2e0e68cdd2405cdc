"""Options that all strategies share: declared once, taken by each."""

import importlib
import inspect
import pkgutil

import pytest
import torch

import avalanche_emgd.training
from avalanche_emgd._options import with_defaults
from avalanche_emgd.gradients import FusedEngine
from avalanche_emgd.training import EMGDStrategy, MultiGradientTemplate, StrategyOptions
from avalanche_emgd.training.ingredients import Asymmetric
from avalanche_emgd.training.peers import EWCStrategy, ICaRLStrategy, JointStrategy, SPCLStrategy
from tests.training.common import toy_strategy

OPTIONS = set(StrategyOptions.__annotations__)


def strategies():
    for each in pkgutil.walk_packages(avalanche_emgd.training.__path__, "avalanche_emgd.training."):
        importlib.import_module(each.name)
    found, new = set(), {MultiGradientTemplate}
    while new:
        found |= new
        new = {kind for each in new for kind in each.__subclasses__()} - found
    return {each for each in found if each.__module__.startswith("avalanche_emgd.")}


def test_no_strategy_repeats_an_option():
    assert len(strategies()) > 10
    for kind in strategies():
        parameters = inspect.signature(kind.__init__).parameters.values()
        assert not {each.name for each in parameters} & OPTIONS, kind
        (others,) = (each for each in parameters if each.kind is each.VAR_KEYWORD)
        assert others.annotation == "Unpack[StrategyOptions]", kind


def test_every_option_is_documented():
    for name in OPTIONS:
        assert f"\n    :param {name}: " in StrategyOptions.__doc__


def test_omitted_options_have_their_defaults():
    plain = with_defaults(StrategyOptions, {}, "f")
    assert set(plain) == OPTIONS
    assert with_defaults(StrategyOptions, {"seed": 3}, "f") == {**plain, "seed": 3}
    strategy = toy_strategy(EMGDStrategy, memory_size=0)
    assert (strategy.train_epochs, strategy.eval_mb_size) == (1, 512)
    assert strategy.device == torch.device("cpu")
    assert strategy.memory is None


def test_options_reach_the_strategy():
    engine, loss = FusedEngine(), torch.nn.CrossEntropyLoss()
    strategy = toy_strategy(
        EMGDStrategy,
        memory_size=7,
        memory_objectives="per-task",
        memory_editing="cosine",
        engine=engine,
        criterion=loss,
        train_mb_size=3,
        train_epochs=2,
        eval_mb_size=5,
        precision="bfloat16",
        memory_loss={"rule": "stored-logits", "alpha": 0.7},
        competition=0.25,
        memory_retrieval={"num_candidates": 9},
        tested_weights={"decay": 0.5},
    )
    assert strategy.memory_loss.alpha == 0.7
    assert strategy.competition == Asymmetric(0.25, "active")
    assert strategy.replay.num_candidates == 9
    assert strategy.averaged_weights.decay == 0.5
    assert strategy.memory.max_size == 7
    assert strategy.replay.objectives == "per-task"
    assert strategy.memory_editing is not None
    assert strategy.engine is engine
    assert strategy._criterion is loss
    assert (strategy.memory_mb_size, strategy.train_mb_size) == (3, 3)
    assert (strategy.train_epochs, strategy.eval_mb_size) == (2, 5)
    assert strategy.precision.precision == "bfloat16"


@pytest.mark.parametrize("kind", [EMGDStrategy, EWCStrategy, SPCLStrategy, JointStrategy])
def test_an_unknown_option_is_refused(kind):
    words = rf"{kind.__name__}.__init__\(\) got an unexpected keyword argument 'memroy_objectives'"
    with pytest.raises(TypeError, match=words + r"\. Did you mean 'memory_objectives'\?"):
        toy_strategy(kind, memory_size=5, memroy_objectives="one")


def test_options_that_a_method_fixes_are_refused():
    for option in ("criterion", "memory_loss", "competition", "memory_retrieval", "tested_weights"):
        with pytest.raises(ValueError, match=f"`{option}` cannot be chosen for iCaRL"):
            toy_strategy(ICaRLStrategy, memory_size=5, **{option: "average"})
    for size in ({}, {"memory_size": 0}):
        with pytest.raises(ValueError, match="`memory_size` must be at least 1: iCaRL"):
            toy_strategy(ICaRLStrategy, **size)

"""Methods say what they are composed of; their settings are those of their parts."""

import pytest
import torch

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.optim import GMC
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.editing import MemoryEditing
from avalanche_emgd.training.ingredients import Asymmetric, Augmentation
from avalanche_emgd.training.methods import METHODS, make_method
from tests.training.common import quiet, toy_model


def made(name, memory_size=12, **settings):
    model = toy_model()
    return make_method(
        name,
        model,
        settings,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        memory_size=memory_size,
        seed=0,
        device="cpu",
        plugins=[],
        evaluator=quiet(),
    )


def seen(strategy, path):
    for name in path.split("."):
        strategy = getattr(strategy, name)
    return strategy


@pytest.mark.parametrize(
    ("name", "settings", "parts"),
    [
        ("der++", {}, {"memory_loss.alpha": 0.3, "memory_loss.beta": 1.0}),
        ("der++", {"alpha": 0.5, "beta": 0.7}, {"memory_loss.alpha": 0.5, "memory_loss.beta": 0.7}),
        ("er-ace", {}, {"competition.share": 1.0, "competition.among": "incoming"}),
        ("mir", {}, {"replay.num_candidates": None}),
        ("mir", {"num_candidates": 20}, {"replay.num_candidates": 20}),
        ("gss", {}, {"memory_selection.num_compared": 10}),
        ("gss", {"num_compared": 4}, {"memory_selection.num_compared": 4}),
        (
            "gmed",
            {},
            {
                "memory_editing.editing": MemoryEditing(
                    "gmed", step=0.1, radius=1.0, settings={"beta": 0.01}
                )
            },
        ),
        (
            "gmed",
            {"step": 0.2, "radius": 0.5, "beta": 0.1},
            {
                "memory_editing.editing": MemoryEditing(
                    "gmed", step=0.2, radius=0.5, settings={"beta": 0.1}
                )
            },
        ),
    ],
)
def test_what_methods_are_composed_of(name, settings, parts):
    strategy = made(name, **settings)
    assert type(strategy) is MultiGradientTemplate
    assert type(strategy.weighting) is ERWeighting
    for path, expected in parts.items():
        assert seen(strategy, path) == expected


MULTI = ["emgd-gmc", "emgd++", "avg", "cagrad", "er", "er-las", "spcl", "mdmt-r"]


@pytest.mark.parametrize("name", MULTI)
def test_every_multi_gradient_method_takes_the_ingredients(name):
    strategy = made(
        name,
        memory_loss={"rule": "stored-logits", "alpha": 0.1},
        competition=0.25,
        memory_selection="gss",
        memory_retrieval="mir",
        memory_objectives="per-task",
        memory_editing={"rule": "cosine"},
        memory_augmentation={"padding": 2},
        tested_weights="average",
    )
    assert strategy.memory_loss.alpha == 0.1
    assert strategy.competition == Asymmetric(0.25)
    assert strategy.memory_selection.num_compared == 10
    assert strategy.replay.num_candidates is None
    assert strategy.replay.objectives == "per-task"
    assert strategy.memory_editing.editing.rule == "cosine"
    assert strategy.memory_augmentation.augmentation == Augmentation(padding=2)
    assert strategy.averaged_weights is not None


def test_the_preset_has_settings_of_its_elastic_factors_and_ingredients():
    strategy = made("emgd++", exponent=1.5, competition=0.6)
    elastic = strategy.weighting.elastic
    assert repr(elastic) == repr(GMC(exponent=1.5, decay=0.0, lower_bound=0.0))
    assert strategy.competition.share == 0.6
    assert strategy.memory_loss.temperature == 2.0
    assert METHODS["emgd++"].family == "parallel"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("der++", {"memory_loss": "labels"}, r"'der\+\+' .*`memory_loss` cannot be chosen"),
        ("er-ace", {"competition": 0.5}, "`competition` cannot be chosen: it is Asymmetric"),
        ("mir", {"memory_retrieval": "random"}, "`memory_retrieval` cannot be chosen"),
        ("gss", {"memory_selection": "random"}, "`memory_selection` cannot be chosen"),
        ("gmed", {"memory_editing": "cosine"}, "`memory_editing` cannot be chosen"),
        ("gem", {"memory_objectives": "one"}, "`memory_objectives` cannot be chosen"),
        ("der++", {"alpha": -1}, "`alpha` must be at least 0"),
        ("der++", {"gamma": 1.0}, "'gamma'"),
        ("er", {"alpha": 1.0}, "'alpha'"),
        ("emgd++", {"memory_loss": "logits"}, "Did you mean 'stored-logits'"),
    ],
)
def test_settings_that_do_not_fit(name, settings, message):
    with pytest.raises(ValueError, match=message):
        made(name, **settings)


def test_what_is_fixed_may_be_said():
    assert made("gem", memory_objectives="per-task").replay.objectives == "per-task"


def test_editing_needs_something_to_edit():
    assert made("gmed", memory_size=0).memory_editing is None

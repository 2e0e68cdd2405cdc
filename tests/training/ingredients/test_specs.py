"""Values of the options that are ingredients."""

import pytest
import torch

from avalanche_emgd.training.ingredients import (
    GSS,
    MIR,
    Asymmetric,
    Augmentation,
    AveragedWeights,
    MemoryRetrieval,
    MemorySelection,
    StoredLogits,
    StoredProbabilities,
)
from avalanche_emgd.training.ingredients.specs import (
    make_augmentation,
    make_competition,
    make_memory_loss,
    make_retrieval,
    make_selection,
    make_tested_weights,
)
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.training.common import replay_strategy

MAKERS = {
    "memory_loss": make_memory_loss,
    "competition": make_competition,
    "memory_selection": make_selection,
    "memory_retrieval": make_retrieval,
    "memory_augmentation": make_augmentation,
    "tested_weights": make_tested_weights,
}


def rule(strategy, output, part):
    return strategy.label_loss(output, part)


@pytest.mark.parametrize(
    ("option", "spec", "expected"),
    [
        ("memory_loss", "labels", "None"),
        ("memory_loss", "stored-logits", "StoredLogits(alpha=0.3, beta=1.0)"),
        (
            "memory_loss",
            "stored-probabilities",
            "StoredProbabilities(alpha=1.0, beta=1.0, temperature=2.0)",
        ),
        (
            "memory_loss",
            {"rule": "stored-logits", "beta": 0.5},
            "StoredLogits(alpha=0.3, beta=0.5)",
        ),
        (
            "memory_loss",
            {"rule": "stored-probabilities", "temperature": 1},
            "StoredProbabilities(alpha=1.0, beta=1.0, temperature=1)",
        ),
        ("competition", 0, "None"),
        ("competition", 1, "Asymmetric(share=1.0, among='active')"),
        ("competition", 0.25, "Asymmetric(share=0.25, among='active')"),
        ("competition", {"among": "incoming"}, "Asymmetric(share=0.5, among='incoming')"),
        ("memory_selection", "random", "MemorySelection()"),
        ("memory_selection", "gss", "GSS(num_compared=10)"),
        ("memory_selection", {"num_compared": 3}, "GSS(num_compared=3)"),
        ("memory_retrieval", "random", "MemoryRetrieval()"),
        ("memory_retrieval", "mir", "MIR(num_candidates=None)"),
        ("memory_retrieval", {"num_candidates": 3}, "MIR(num_candidates=3)"),
        ("memory_augmentation", "none", "None"),
        ("memory_augmentation", "crops-flips", "Augmentation(padding=4, flip=True)"),
        (
            "memory_augmentation",
            {"padding": 2, "flip": False},
            "Augmentation(padding=2, flip=False)",
        ),
        ("tested_weights", "last", "None"),
        ("tested_weights", "average", "AveragedWeights(decay=0.99)"),
        ("tested_weights", {"decay": 0.9}, "AveragedWeights(decay=0.9)"),
    ],
)
def test_names_numbers_and_mappings(option, spec, expected):
    assert repr(MAKERS[option](spec)) == expected


@pytest.mark.parametrize(
    ("option", "spec"),
    [
        ("memory_loss", StoredLogits(0.5)),
        ("memory_loss", StoredProbabilities(0.5)),
        ("memory_loss", rule),
        ("competition", Asymmetric(0.5)),
        ("competition", rule),
        ("memory_selection", GSS(3)),
        ("memory_selection", MemorySelection()),
        ("memory_retrieval", MIR(3)),
        ("memory_retrieval", MemoryRetrieval()),
        ("memory_augmentation", Augmentation(2)),
        ("memory_augmentation", torch.square),
        ("tested_weights", AveragedWeights(0.5)),
    ],
)
def test_objects_stay(option, spec):
    assert MAKERS[option](spec) is spec


@pytest.mark.parametrize(
    ("option", "spec", "message"),
    [
        ("memory_loss", "stored_logits", "found 'stored_logits'. Did you mean 'stored-logits'"),
        ("memory_loss", None, "'labels', 'stored-logits', 'stored-probabilities', a mapping with"),
        ("memory_loss", 0.5, "`memory_loss` must be 'labels'"),
        ("memory_loss", {"rule": "stored-logits", "alhpa": 1.0}, "'alhpa'. Did you mean 'alpha'"),
        ("memory_loss", {"rule": "stored-logits", "temperature": 1.0}, "setting 'temperature'"),
        ("memory_loss", {"rule": "stored-logits", "alpha": -1.0}, "`alpha` must be at least 0"),
        ("memory_loss", {"rule": "stored-logits", 1: 2}, "unknown setting 1"),
        ("memory_loss", {"alpha": 1.0}, "must have a `rule` .* found {'alpha': 1.0}"),
        ("memory_loss", {"rule": "stored-logit"}, "Did you mean 'stored-logits'"),
        ("memory_loss", {"rule": "labels"}, "must have a `rule`"),
        ("memory_loss", {"rule": ["stored-logits"]}, "must have a `rule`"),
        ("competition", 1.01, r"`share` of `competition` must be in \[0, 1\], found 1.01"),
        ("competition", -0.5, "`share` of `competition`"),
        ("competition", float("nan"), "`share` of `competition`"),
        ("competition", "active", "`competition` must be a share in .* found 'active'"),
        ("competition", True, "`competition` must be a share in .* found True"),
        ("competition", None, "`competition` must be a share in .* found None"),
        ("memory_selection", "gs", "found 'gs'. Did you mean 'gss'"),
        ("memory_selection", MIR(), r"`memory_selection` must be .* found MIR\(num"),
        ("memory_selection", rule, "`memory_selection` must be 'random', 'gss', GSS"),
        ("memory_selection", {"num_compared": 0}, "`num_compared` must be a whole number"),
        ("memory_retrieval", "mri", "found 'mri'. Did you mean 'mir'"),
        ("memory_retrieval", GSS(), "`memory_retrieval` must be"),
        ("memory_retrieval", ["mir"], r"`memory_retrieval` must be .* found \['mir'\]"),
        ("memory_augmentation", "crop-flips", "Did you mean 'crops-flips'"),
        (
            "memory_augmentation",
            None,
            "`memory_augmentation` must be 'none', 'crops-flips'",
        ),
        ("memory_augmentation", True, "`memory_augmentation` must be .* found True"),
        (
            "memory_augmentation",
            {"pad": 2},
            "'pad'. Did you mean 'padding'. Settings of Augmentation are padding, flip",
        ),
        ("memory_augmentation", {"padding": -1}, "`padding` of `memory_augmentation` .* found -1"),
        ("memory_augmentation", {"padding": 1.5}, "`padding` of `memory_augmentation` .* 1.5"),
        ("memory_augmentation", {"padding": True}, "`padding` of `memory_augmentation` .* True"),
        ("memory_augmentation", {"flip": "no"}, "`flip` of `memory_augmentation` .* found 'no'"),
        ("memory_augmentation", AugmentationPlugin(), "`memory_augmentation` must be .* found <"),
        ("tested_weights", "averge", "found 'averge'. Did you mean 'average'"),
        ("tested_weights", 0.99, "`tested_weights` must be 'last', 'average', AveragedWeights"),
        ("tested_weights", {"decay": 1.0}, "`decay` of `tested_weights`"),
        ("tested_weights", lambda model: model, "`tested_weights` must be"),
    ],
)
def test_wrong_values_are_refused_by_the_constructor(option, spec, message):
    for memory in ({}, {"memory_size": 12}):
        with pytest.raises(ValueError, match=message):
            replay_strategy(**memory, **{option: spec})


@pytest.mark.parametrize(
    ("option", "spec"),
    [
        ("memory_loss", StoredLogits),
        ("competition", Asymmetric),
        ("memory_selection", GSS),
        ("memory_retrieval", MIR),
        ("memory_augmentation", Augmentation),
        ("tested_weights", AveragedWeights),
    ],
)
def test_classes_are_refused(option, spec):
    with pytest.raises(TypeError, match=f"`{option}` must be an object, found the class"):
        replay_strategy(memory_size=12, **{option: spec})

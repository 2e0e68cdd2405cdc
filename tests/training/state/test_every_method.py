"""A run of any method that continues from a state equals one without an interruption."""

import pytest
import torch

from avalanche_emgd.training.methods import METHODS
from tests.toy import toy_benchmark
from tests.training.state.common import Saved, assert_equal, from_file, of_method, outcome

VARIANTS = {
    **{name: (name, {}) for name in METHODS},
    "emgd-gmc edited": ("emgd-gmc", {"memory_editing": {"rule": "distance", "measure_every": 1}}),
    "emgd++ edited": ("emgd++", {"memory_editing": "cosine"}),
    "emgd-gmc with mir and gss": (
        "emgd-gmc",
        {"memory_selection": "gss", "memory_retrieval": "mir", "memory_objectives": "per-task"},
    ),
    "cr-mogm of egda": ("cr-mogm", {"weighting": "egda"}),
    "er-las with a window": ("er-las", {"window": 3}),
}


ALL_TICKS = ("emgd-gmc", "emgd++ edited")
FIRST, AGAIN = toy_benchmark(), toy_benchmark()  # the second as a new process makes it


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_equals_one_without_interruption(variant):
    ends = [len(e.ticks) for e in FIRST.train_stream]
    ticks = sum(ends)
    # The end of a segment, the middle of the last one, and the last tick.
    chosen = (ends[0] - 1, ticks - 2, ticks - 1)
    chosen = range(ticks) if variant in ALL_TICKS else chosen
    saved = Saved(chosen)
    whole, metrics = of_method(*VARIANTS[variant], [saved], FIRST)
    whole.train(FIRST.train_stream)
    expected = outcome(whole, metrics)
    assert len(saved.files) == len(chosen)
    for content in saved.files:
        rest, again = of_method(*VARIANTS[variant], [Saved([])], AGAIN, seed=7)
        rest.load_state_dict(from_file(content))
        torch.manual_seed(9)
        rest.train(AGAIN.train_stream)
        assert_equal(outcome(rest, again), expected)

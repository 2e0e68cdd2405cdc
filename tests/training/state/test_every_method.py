"""A run of any method that continues from a state equals one without an interruption."""

import pytest
import torch

from avalanche_emgd.training.methods import METHODS
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_run_equals_one_without_interruption(variant):
    saved = Saved()
    whole, metrics = of_method(*VARIANTS[variant], [saved])
    whole.train(metrics.benchmark.train_stream)
    expected = outcome(whole, metrics)
    ends = [len(e.ticks) for e in metrics.benchmark.train_stream]
    ticks = len(saved.files)
    assert ticks == sum(ends)
    # The first and the last tick, the end of a segment and the tick after it.
    chosen = {0, ends[0] - 1, ends[0] + 1, ticks - 1}
    for tick in range(ticks) if variant.startswith("emgd") else sorted(chosen):
        rest, again = of_method(*VARIANTS[variant], [Saved()], seed=7)
        rest.load_state_dict(from_file(saved.files[tick]))
        torch.manual_seed(9)
        rest.train(again.benchmark.train_stream)
        assert_equal(outcome(rest, again), expected)

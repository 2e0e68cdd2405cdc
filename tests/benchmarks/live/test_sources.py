"""Every source delivers each sample once, and skips what was delivered before a restart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.live.common import SOURCES, all_of


@pytest.mark.parametrize("kind", list(SOURCES))
@settings(max_examples=15, deadline=None)
@given(number=st.integers(0, 23), size=st.integers(1, 6), done=st.integers(0, 12))
def test_every_sample_once_and_a_resumed_source_skips_what_was_delivered(kind, number, size, done):
    if kind in ("one by one", "two epochs", "in memory", "loader", "subset") and number == 0:
        number = 1  # data sets without samples are refused
    everything = all_of(SOURCES[kind](number), size)
    epochs = 2 if kind == "two epochs" else 1
    inputs = [x for minibatch, _ in everything for x in minibatch]
    assert sorted(inputs) == sorted(epochs * list(map(float, range(number))))
    assert all(ys == [int(x) % 2 for x in xs] for xs, ys in everything)
    source = SOURCES[kind](number)
    for minibatch, _ in zip(source.batches(size), range(done), strict=False):
        source.delivered(minibatch)
    resumed = SOURCES[kind](number)
    assert resumed.load_state_dict(source.state_dict()) is None
    assert all_of(resumed, size) == everything[done:]

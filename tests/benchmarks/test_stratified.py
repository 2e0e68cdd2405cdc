import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.benchmarks._stratified import divide

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=30).map(lambda found: found * 2)


@given(LABELS, st.floats(0.01, 0.99), st.integers(0, 2**31))
def test_each_class_is_divided_by_the_share(labels, share, seed):
    train, test = divide(labels, share, seed, str)
    assert sorted(train + test) == list(range(len(labels)))
    assert train == sorted(train)
    assert test == sorted(test)
    for label in set(labels):
        number, drawn = labels.count(label), [labels[index] for index in test].count(label)
        assert 1 <= drawn <= number - 1
        if 1 <= round(share * number) <= number - 1:
            assert drawn == round(share * number)
    assert divide(labels, share, seed, str) == (train, test)


def test_another_seed_draws_other_samples():
    labels = [0, 1] * 50
    drawn = {tuple(divide(labels, 0.3, seed, str)[1]) for seed in range(5)}
    assert len(drawn) == 5
    # Each sample is drawn about as often as others: 0.3 ± 5 standard deviations of 200 draws.
    counts = np.zeros(100)
    for seed in range(200):
        counts[divide(labels, 0.3, seed, str)[1]] += 1
    bound = 5 * np.sqrt(0.3 * 0.7 / 200)
    assert np.abs(counts / 200 - 0.3).max() < bound


def test_a_class_of_one_sample_is_refused():
    with pytest.raises(ValueError, match="no: 7"):
        divide([3, 3, 7], 0.5, 0, lambda label: f"no: {label}")

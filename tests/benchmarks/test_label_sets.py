import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.benchmarks._label_sets import check_random_seed, random_label_sets


@given(st.integers(1, 40), st.data(), st.integers(0, 2**32))
def test_classes_are_divided_evenly_and_by_the_seed(num_classes, data, seed):
    num_tasks = data.draw(st.integers(1, num_classes))
    found = random_label_sets(num_classes, num_tasks, seed)
    assert sorted(label for own in found for label in own) == list(range(num_classes))
    sizes = [len(own) for own in found]
    assert len(sizes) == num_tasks
    assert sizes == sorted(sizes)
    assert max(sizes) - min(sizes) <= 1
    assert found == random_label_sets(num_classes, num_tasks, seed)


@pytest.mark.parametrize("num_tasks", [0, 6, 2.0, True])
def test_numbers_of_tasks_out_of_range(num_tasks):
    with pytest.raises(ValueError, match="`num_tasks` must be"):
        random_label_sets(5, num_tasks, 0)


def test_seeds_out_of_range():
    check_random_seed(np.int64(3))
    for seed in (-1, 0.5, None, True):
        with pytest.raises(ValueError, match="`seed` must be an integer ≥ 0"):
            check_random_seed(seed)

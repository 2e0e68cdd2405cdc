"""The choice of stored samples equals a slow and simple computation."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.training.delivered_samples import DeliveredSamples
from avalanche_emgd.training.reservoir import keep_smallest_keys

# Few different keys, so that ties occur.
SAMPLES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=12)


@settings(deadline=None)
@given(st.lists(SAMPLES, min_size=1, max_size=4), st.integers(1, 4))
def test_the_smallest_keys_of_each_class_stay(offered, size):
    stores, expected, number = {}, {}, 0
    for samples in offered:
        before = {label: list(kept) for label, kept in expected.items()}
        for label, key in samples:
            expected.setdefault(label, []).append((key, float(number)))
            number += 1
        expected = {label: sorted(kept)[:size] for label, kept in expected.items()}
        new = torch.arange(number - len(samples), number)
        labels, keys = (
            torch.tensor(each) for each in (list(zip(*samples, strict=True)) or [(), ()])
        )
        loaded = []

        def load(indices, loaded=loaded):
            loaded.extend(indices.tolist())
            return indices.float()[:, None]

        offered_now = DeliveredSamples("task", 5, new, labels.long(), 4, load, new)
        keep_smallest_keys(stores, offered_now, keys.double(), size)
        assert set(stores) == set(expected)
        for label, store in stores.items():
            assert torch.stack([store.keys, store.inputs[:, 0].double()], 1).tolist() == [
                list(pair) for pair in expected[label]
            ]
            assert store.labels.tolist() == [label] * len(store)
            assert store.task_label == 5
        entered = {i for kept in expected.values() for _, i in kept}
        entered -= {i for kept in before.values() for _, i in kept}
        assert sorted(loaded) == sorted(entered)

import numpy as np
import pytest
import torch

from avalanche_emgd import Timeline
from tests.benchmarks.own_data import loaded
from tests.benchmarks.tables import KINDS, N, frame, made


def test_division_depends_on_the_seed_alone():
    def share(seed):
        timeline, sets = Timeline.serial([1, 1]), [[0, 1, 2], [3, 4, 5]]
        benchmark = made(frame(), seed=seed, timeline=timeline, label_sets=sets)
        return torch.cat([experience.load()[0] for experience in benchmark.test_stream])

    assert torch.equal(share(0), share(0))
    assert not torch.equal(share(0), share(1))


def test_a_column_defines_the_tasks():
    benchmark = made(frame(), task_column="site", scenario="task", overlap=1.0)
    assert benchmark.task_names == ("0", "1", "2")
    assert benchmark.label_sets == ((0, 3), (1, 4), (2, 5))
    assert benchmark.class_names == dict(enumerate(KINDS))
    assert benchmark.input_shape == (3,)
    assert {start for start, _ in benchmark.timeline.spans} == {0}
    serial = made(frame(), task_column="site", overlap=0.0, batch_size=10).timeline
    assert serial == Timeline.serial([3, 3, 3])


def test_labels_that_tasks_share_are_classes_of_their_own():
    shared = frame().assign(kind=lambda each: each.kind > "cat", site=lambda each: each.legs > 4)
    benchmark = made(shared, task_column="site")
    assert benchmark.label_sets == ((0, 1), (2, 3))
    assert list(benchmark.class_names.values()) == [
        "false: false", "false: true", "true: false", "true: true",
    ]  # fmt: skip
    _, y, tasks = loaded(benchmark)
    assert torch.equal(y // 2, tasks)


@pytest.mark.parametrize("labels", [[-5, 0, 7], [1.0, 2.0, 10.0], [10**12, 3, 4]])
def test_whole_numbers_stand_for_themselves(labels, tmp_path):
    path = tmp_path / "a.csv"
    frame().assign(kind=np.array(labels * (N // 3))).to_csv(path, index=False)
    benchmark = made(path)
    names = [str(int(label)) for label in sorted(labels)]
    assert benchmark.class_names == dict(enumerate(names))

"""Configurations of runs."""

import pytest
import torch

from avalanche_emgd.experiments.config import DATA, RunConfig, make_benchmark
from avalanche_emgd.experiments.study_config import StudyConfig


@pytest.mark.parametrize("name", ["a\ud800", "a\0b"])
@pytest.mark.parametrize("field", ["name", "data_root", "protocol"])
def test_text_that_cannot_be_written_is_refused(name, field):
    with pytest.raises(ValueError, match=r"cannot be encoded|character 0"):
        RunConfig(**{field: name})
    if field == "name":
        with pytest.raises(ValueError, match="`name` of a method"):
            StudyConfig([{"method": "avg", "name": name}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"seed": 2**63}, "`seed` must be at most"),
        ({"seed": "1"}, "`seed` must be a whole number"),
        ({"seed": True}, "`seed` must be a whole number"),
        ({"threads": 0}, "`threads` must be at least 1"),
        ({"threads": 10**5000}, "`threads` must be at most 1024"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number"),
        ({"num_tasks": 11}, r"`num_tasks` must be in 1\.\.10, found 11"),
        ({"num_tasks": 10**9, "benchmark": "npz"}, "`num_tasks` must be at most 10000"),
        ({"overlap": 1.5}, r"`overlap` must be in \[0, 1\]"),
        ({"overlap": float("nan")}, r"`overlap` must be in \[0, 1\]"),
    ],
)
def test_numbers_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        RunConfig(**changes)


@pytest.mark.parametrize("name", [name for name, data in DATA.items() if data.needs == ""])
def test_ready_made_benchmarks_take_epochs(name):
    once, twice = (make_benchmark(RunConfig(benchmark=name, epochs=e)) for e in (1, 2))
    ids = torch.cat([experience.ids for experience in twice.train_stream])
    assert ids.bincount().unique().tolist() == [2]
    assert len(ids) == 2 * sum(once.task_sizes)

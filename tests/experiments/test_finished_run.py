import json
from dataclasses import replace

import numpy as np
import pytest

from avalanche_emgd.benchmarks import parallel_benchmark_from_arrays
from avalanche_emgd.experiments.record_schema import check_record
from avalanche_emgd.experiments.records import done_record
from tests.experiments.finished import run_of


def test_figures_of_tasks_agree_with_those_of_the_run():
    run = run_of((0.5, 0.75), (0.25, 1.0))
    found = json.loads(json.dumps(run.to_json()))
    assert (found["A_e"], found["A_ebar"], found["F_ebar"]) == (0.625, 0.625, 0.0)
    assert [task["at_end"] for task in found["tasks"]] == [0.5, 0.75]
    assert [task["final"] for task in found["tasks"]] == [0.25, 1.0]
    assert found["ticks"] == run.benchmark.timeline.num_ticks
    assert [tuple(task["span"]) for task in found["tasks"]] == list(run.benchmark.timeline.spans)
    check_record(json.loads(json.dumps(done_record(run.config, run))))


@pytest.mark.parametrize(
    ("labels", "names"),
    [([0, 1, 2, 3], [[], []]), ([1, 2, 3, 4], [["1", "2"], ["3", "4"]])],
)
def test_labels_are_named_only_where_the_names_differ(labels, names, tmp_path):
    x = np.eye(4, dtype=np.float32)[np.arange(16) % 4]
    y = np.array(labels * 4)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    benchmark = parallel_benchmark_from_arrays(
        tmp_path / "a.npz", label_sets=[labels[:2], labels[2:]], batch_size=4
    )
    run = replace(run_of((0.5, 0.5), (0.5, 0.5)), benchmark=benchmark)
    assert [run.class_names(task) for task in range(2)] == names
    assert [task.get("class_names", []) for task in run.to_json()["tasks"]] == names

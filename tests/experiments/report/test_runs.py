import pytest

from avalanche_emgd.experiments.report.runs import common_blocks, finished_runs, scenarios_of
from tests.experiments.report.records import done, failed, runs_of


def test_finished_runs_are_sorted_by_method_and_block():
    records = [
        done("a", seed=1),
        done("a", seed=2, timeline=3),
        done("b", label_set=None, timeline=None),
        done("a", scenario="task"),
        failed("c"),
    ]
    runs = finished_runs(records, "class")
    assert {method: set(blocks) for method, blocks in runs.items()} == {
        "a": {(0, 0, 1), (0, 3, 2)},
        "b": {(None, None, 0)},
    }
    assert runs["a"][0, 3, 2] is records[1]


def test_scenarios_have_one_order_and_need_a_finished_run():
    assert scenarios_of([done(scenario="task"), done(scenario="class")]) == ("class", "task")
    assert scenarios_of([failed(scenario="class"), done(scenario="task")]) == ("task",)


def test_the_same_run_twice_is_refused():
    with pytest.raises(ValueError, match="two runs of 'a'"):
        finished_runs([done("a"), done("a")], "class")


def test_common_blocks_are_those_of_all_methods():
    runs = runs_of({"a": [0.1, 0.2, 0.3], "b": [0.1, None, 0.3]})
    assert common_blocks(runs) == ((0, 0, 0), (0, 0, 2))
    assert common_blocks({}) == ()

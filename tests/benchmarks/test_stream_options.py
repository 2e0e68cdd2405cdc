"""Options that all benchmarks of classes share: declared once, taken by each."""

import inspect

import pytest

from avalanche_emgd import benchmarks
from avalanche_emgd._options import with_defaults
from avalanche_emgd.benchmarks import StreamOptions, Timeline
from avalanche_emgd.experiments.data import DATA

OPTIONS = {"scenario", "seed", "batch_size", "num_tasks", "label_sets", "timeline", "epochs"}
NAMES = [
    *(name for name in benchmarks.__all__ if name.startswith("ps_")),
    *("parallel_benchmark_from_arrays", "parallel_benchmark_from_hugging_face"),
    *("parallel_benchmark_from_images", "parallel_benchmark_from_table"),
]


def test_options_are_declared_and_documented():
    assert set(StreamOptions.__annotations__) == OPTIONS
    for name in OPTIONS:
        assert f"\n    :param {name}: " in StreamOptions.__doc__


def test_every_source_of_runs_is_here():
    assert {data.generator().__name__ for data in DATA.values()} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_benchmark_repeats_an_option(name):
    parameters = inspect.signature(getattr(benchmarks, name)).parameters
    assert not OPTIONS & set(parameters)
    assert parameters["options"].kind is inspect.Parameter.VAR_KEYWORD
    assert parameters["options"].annotation == "Unpack[StreamOptions]"


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_before_data_are_read(name):
    function = getattr(benchmarks, name)
    needed = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    ]
    arguments = dict.fromkeys(needed, "/nowhere")
    words = (
        rf"{name}\(\) got an unexpected keyword argument 'batchsize'\. Did you mean 'batch_size'"
    )
    with pytest.raises(TypeError, match=words):
        function(**arguments, batchsize=3)


def test_omitted_options_have_their_defaults():
    plain = with_defaults(StreamOptions, {}, "f")
    assert (plain["scenario"], plain["seed"], plain["epochs"]) == ("class", 0, 1)
    own = with_defaults(StreamOptions, {"seed": 3}, "f", seed=1, batch_size=4)
    assert own == {**plain, "seed": 3, "batch_size": 4}
    benchmark = benchmarks.ps_digits()
    assert (benchmark.batch_size, benchmark.scenario, benchmark.timeline.num_tasks) == (
        4,
        "class",
        5,
    )


def test_options_reach_the_benchmark():
    benchmark = benchmarks.ps_digits(
        scenario="task",
        seed=1,
        batch_size=16,
        label_sets=[[0, 1], [2, 3]],
        timeline=Timeline.serial([1, 1]),
        epochs=2,
    )
    assert (benchmark.scenario, benchmark.batch_size) == ("task", 16)
    assert benchmark.label_sets == ((0, 1), (2, 3))
    (first, last), (start, _) = benchmark.timeline.spans
    assert first == 0
    assert start == last + 1
    once = benchmarks.ps_digits(batch_size=16, label_sets=[[0, 1], [2, 3]])
    assert benchmark.task_sizes == tuple(2 * size for size in once.task_sizes)

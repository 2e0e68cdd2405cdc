"""Sizes that the ready-made benchmarks and the runs on them have in common."""

from typing import get_type_hints

import pytest

from avalanche_emgd.benchmarks import StreamOptions, ps_digits
from avalanche_emgd.benchmarks.sizes import Sizes
from avalanche_emgd.experiments import RunConfig
from avalanche_emgd.experiments.data import DATA


def test_each_option_is_one_of_the_options_of_streams():
    hints = get_type_hints(StreamOptions, include_extras=True)
    for name, value in Sizes().options().items():
        assert hints[name].__metadata__[0].value == value


@pytest.mark.parametrize("name", DATA)
def test_a_run_has_the_sizes_of_its_benchmark(name):
    needed = {"label_column": "label"} if name == "table" else {}
    chosen = RunConfig(benchmark=name, **needed).resolved()
    assert {"batch_size": chosen.batch_size, "num_tasks": chosen.num_tasks} == DATA[
        name
    ].sizes.options()


def test_digits_have_their_sizes():
    benchmark, sizes = ps_digits(), DATA["ps-digits"].sizes
    assert benchmark.num_classes == sizes.num_classes
    assert benchmark.batch_size == sizes.batch_size
    assert benchmark.timeline.num_tasks == sizes.num_tasks

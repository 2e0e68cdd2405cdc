import numpy as np

from avalanche_emgd.benchmarks.gantt import task_color
from avalanche_emgd.experiments import draw_curves
from avalanche_emgd.experiments.pictures import draw_accuracies
from avalanche_emgd.experiments.report.streams import (
    draw_runs,
)
from tests.experiments.report.records import SPANS, done
from tests.toy import toy_benchmark

CURVES = [[(1, 0.2), (6, 0.8), (10, 0.4)], [(4, 0.3), (10, 0.9)]]


def test_curves_of_runs_are_their_records():
    records = [done("a", 0.5), done("b", 0.25), done("costs $1 or $2", 0.75)]
    figure = draw_runs(records)
    titles = [ax.get_title() for ax in figure.axes if ax.axison and ax.get_title()]
    assert titles == ["a: A_ē 50.0 %", "b: A_ē 25.0 %", r"costs \$1 or \$2: A_ē 75.0 %"]
    panel = next(ax for ax in figure.axes if ax.get_title().startswith("b"))
    first = panel.lines[0]
    assert list(first.get_xdata()) == [1, 6]
    assert list(first.get_ydata()) == [0.2, 0.7]
    assert first.get_color() == task_color(0)


def test_curves_of_a_benchmark_are_those_of_its_spans():
    benchmark = toy_benchmark((20, 13))
    curves = {"a": CURVES, "b": CURVES}
    one = draw_curves(benchmark, curves)
    other = draw_accuracies(benchmark.timeline.spans, benchmark.task_names, curves, columns=2)
    for ax, same in zip(one.axes, other.axes, strict=True):
        assert ax.get_title() == same.get_title()
        for line, twin in zip(ax.lines, same.lines, strict=True):
            assert np.array_equal(line.get_xydata(), twin.get_xydata())


def test_panels_of_an_odd_number_of_methods_all_have_ticks():
    figure = draw_accuracies(SPANS, ("x", "y"), dict.fromkeys("abc", CURVES), columns=2)
    panels = {ax.get_title(): ax for ax in figure.axes if ax.get_title()}
    assert set(panels) == set("abc")
    assert [panels[name].get_xlabel() for name in "abc"] == ["", "tick", "tick"]
    assert sum(not ax.axison for ax in figure.axes) == 1

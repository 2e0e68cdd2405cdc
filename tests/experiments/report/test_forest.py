import pytest

from avalanche_emgd.experiments.report.families import FAMILIES
from avalanche_emgd.experiments.report.forest import draw_differences
from avalanche_emgd.experiments.report.runs import finished_runs
from avalanche_emgd.experiments.report.statistics import compare
from tests.experiments.report.records import done, many_runs


@pytest.mark.parametrize("count", [2, 40])
def test_differences_have_a_row_for_each_method(count):
    runs = many_runs(count)
    comparisons = compare(runs, "method-0")
    figure = draw_differences(comparisons, dict.fromkeys(runs, "serial"))
    left, right = figure.axes
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == [comparison.method for comparison in comparisons]
    for ax, estimates in (
        (left, [c.A_ebar for c in comparisons]),
        (right, [c.F_ebar for c in comparisons]),
    ):
        dots = [line for line in ax.lines if line.get_marker() == FAMILIES["serial"].marker]
        assert [dot.get_xdata()[0] for dot in dots] == [100 * e.mean for e in estimates]
        assert [dot.get_ydata()[0] for dot in dots] == list(range(count - 1))
        full = [dot.get_markerfacecolor() != "white" for dot in dots]
        assert full == [estimate.excludes_zero for estimate in estimates]


def test_numbers_of_pairs_are_shown_where_they_differ():
    records = [done("a", 0.4, seed=s) for s in range(3)] + [
        done("b", 0.5, seed=s) for s in range(2)
    ]
    records += [done("ref", 0.6, seed=seed) for seed in range(3)]
    comparisons = compare(finished_runs(records, "class"), "ref")
    families = dict.fromkeys("ab", "yours")
    names = [
        t.get_text() for t in draw_differences(comparisons, families).axes[0].get_yticklabels()
    ]
    assert names == ["b (2)", "a (3)"]

import pytest

from avalanche_emgd.benchmarks.gantt import task_color
from avalanche_emgd.experiments.report.streams import (
    draw_losses,
    draw_timelines,
    draw_trace,
    has_trace,
    streams_of,
)
from tests.experiments.report.records import SPANS, done, failed


def test_streams_are_told_apart_by_label_set_and_time_line():
    records = [
        done(label_set=1, timeline=0),
        done(label_set=0, timeline=1, seed=3),
        done("other", label_set=0, timeline=1, seed=4),
        failed(label_set=2),
    ]
    titles = [streams.title for streams in streams_of(records)]
    assert titles == ["label set 0, time line 1", "label set 1, time line 0"]
    assert streams_of(records)[0].spans == SPANS


def test_streams_without_a_protocol_are_told_apart_by_their_spans():
    records = [done(label_set=None, timeline=None, seed=seed) for seed in (7, 5, 6)]
    records[0]["tasks"][1]["span"] = [4, 9]
    assert [streams.title for streams in streams_of(records)] == ["seeds 5, 6", "seed 7"]


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_timelines_have_a_panel_each(count):
    streams = streams_of([done(timeline=timeline) for timeline in range(count)])
    axes = [ax for ax in draw_timelines(streams).axes if ax.axison]
    assert [ax.get_title() for ax in axes] == [each.title for each in streams]
    assert all(len(ax.patches) == len(SPANS) for ax in axes)


def test_trace_shows_weights_and_factors():
    record = done()
    spans, weights, factors = draw_trace(record).axes
    assert len(spans.patches) == len(SPANS)
    assert factors.get_yscale() == "log"
    for ax, kind in ((weights, "weight"), (factors, "sigma")):
        shown = {line.get_label(): line for line in ax.lines}
        assert set(shown) == set(record["trace"][kind])
        assert shown["task1"].get_color() == task_color(1)
        for objective, points in record["trace"][kind].items():
            assert shown[objective].get_xydata().tolist() == points


def test_losses_are_running_means_in_one_panel_for_each_method():
    records = [done("a"), done("b"), done("c")]
    values = [4.0, 2.0, 3.0, 1.0, 5.0, 9.0]
    records[1]["trace"]["loss"] = {"task1": list(map(list, enumerate(values)))}
    figure = draw_losses(records)
    panels = {ax.get_title(): ax for ax in figure.axes if ax.get_title()}
    assert [panels[name].get_xlabel() for name in "abc"] == ["", "tick", "tick"]
    (line,) = panels["b"].lines
    assert line.get_color() == task_color(1)
    assert line.get_xdata().tolist() == [0, 1, 2, 3, 4, 5]
    assert line.get_ydata() == pytest.approx([4.0, 3.0, 3.0, 2.5, 3.0, 4.0])
    assert sum(not ax.axison for ax in figure.axes) == 1


def test_trace_without_factors_and_with_a_memory_for_each_task():
    record = done()
    record["trace"] = {"weight": {"task0": [[0, 1.0]], "memory-task0": [[6, 0.5]]}, "sigma": {}}
    _, weights = draw_trace(record).axes
    memory = next(line for line in weights.lines if line.get_label() == "memory-task0")
    assert (memory.get_color(), memory.get_linestyle()) == (task_color(0), "--")
    assert has_trace(record)
    assert not has_trace(done(trace=False))

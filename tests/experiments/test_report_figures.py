import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from avalanche_emgd.benchmarks.gantt import task_color
from avalanche_emgd.experiments import draw_curves
from avalanche_emgd.experiments.pictures import draw_accuracies, plain
from avalanche_emgd.experiments.report.families import FAMILIES, family_of, short_label
from avalanche_emgd.experiments.report.forest import draw_differences
from avalanche_emgd.experiments.report.labels import place_boxes
from avalanche_emgd.experiments.report.plane import draw_plane, shows_intervals
from avalanche_emgd.experiments.report.runs import finished_runs
from avalanche_emgd.experiments.report.statistics import compare, summarize
from avalanche_emgd.experiments.report.streams import (
    draw_losses,
    draw_runs,
    draw_timelines,
    draw_trace,
    has_trace,
    streams_of,
)
from tests.experiments.report_records import SPANS, done, failed
from tests.toy import toy_benchmark

CURVES = [[(1, 0.2), (6, 0.8), (10, 0.4)], [(4, 0.3), (10, 0.9)]]


def many_runs(count, seeds=2, spread=0.02):
    """Runs of methods whose figures lie close together."""
    draw = np.random.default_rng(0)
    records = [
        done(
            f"method-{number}", a := draw.normal(0.5, spread), a + draw.normal(0.2, spread), seed=s
        )
        for number in range(count)
        for s in range(seeds)
    ]
    return finished_runs(records, "class")


def overlap(boxes):
    """Area that is covered more than once by boxes ``[n, 4]``."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    areas = np.clip(high - low, 0.0, None).prod(axis=2)
    return np.triu(areas, k=1).sum()


# Labels


@pytest.mark.parametrize(("count", "spread"), [(1, 1.0), (40, 200.0), (40, 40.0), (25, 1.0)])
def test_boxes_are_apart_inside_and_off_the_points(count, spread):
    draw = np.random.default_rng(count)
    anchors = np.clip(draw.normal((400.0, 350.0), spread, size=(count, 2)), 20.0, 680.0)
    sizes = np.stack([draw.uniform(20.0, 120.0, count), np.full(count, 12.0)], axis=1)
    bounds = np.array([0.0, 0.0, 800.0, 700.0])
    boxes = place_boxes(anchors, sizes, bounds)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], sizes)
    assert overlap(boxes) == 0.0
    assert np.all(boxes[:, :2] >= bounds[:2])
    assert np.all(boxes[:, 2:] <= bounds[2:])
    points = np.concatenate([anchors - 2.0, anchors + 2.0], axis=1)
    assert overlap(np.concatenate([boxes, points])) == pytest.approx(overlap(points))


def test_a_lone_label_is_beside_its_point():
    anchor = np.array([[100.0, 100.0]])
    (box,) = place_boxes(anchor, np.array([[50.0, 10.0]]), np.array([0.0, 0.0, 300.0, 300.0]))
    near = np.clip(anchor[0], box[:2], box[2:])
    assert 5.0 < np.hypot(*(near - anchor[0])) < 12.0


# The plane


def drawn_texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("count", [1, 2, 40])
def test_plane_has_a_point_and_a_label_for_each_method(count):
    runs = many_runs(count)
    summaries = summarize(runs)
    figure = draw_plane(summaries, dict.fromkeys(runs, "parallel"), "method-0")
    (ax,) = figure.axes
    marker = FAMILIES["parallel"].marker
    points = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in ax.lines
        if line.get_marker() == marker
    }
    assert points == {(100 * s.A_ebar.mean, 100 * s.F_ebar.mean) for s in summaries}
    assert set(runs) <= set(drawn_texts(ax))
    (bold,) = [text for text in ax.texts if text.get_fontweight() == "bold"]
    assert bold.get_text() == "method-0"


def test_labels_of_a_crowded_plane_do_not_cover_each_other():
    runs = many_runs(40)
    figure = draw_plane(summarize(runs), dict.fromkeys(runs, "weighting"), None)
    renderer = FigureCanvasAgg(figure).get_renderer()
    labels = [text for text in figure.axes[0].texts if text.get_text() in runs]
    boxes = np.array([label.get_window_extent(renderer).extents for label in labels])
    assert len(boxes) == 40
    assert overlap(boxes) < 1.0


def test_intervals_are_shown_where_they_are_legible():
    assert shows_intervals(summarize(many_runs(1)))
    assert not shows_intervals(summarize(many_runs(1, seeds=1)))  # there are none
    assert not shows_intervals(summarize(many_runs(13, seeds=9)))  # too many
    assert not shows_intervals(summarize(many_runs(5, seeds=2)))  # wider than all else
    apart = finished_runs(
        [
            done(method, a + 0.001 * seed, 0.9 - a, seed=seed)
            for method, a in (("a", 0.2), ("b", 0.4))
            for seed in range(3)
        ],
        "class",
    )
    assert shows_intervals(summarize(apart))
    (ax,) = draw_plane(summarize(apart), {"a": "yours", "b": "bound"}, "a").axes
    assert (
        sum(to_hex(line.get_color()) == FAMILIES["yours"].color.lower() for line in ax.lines) == 3
    )


# Differences


@pytest.mark.parametrize("count", [2, 40])
def test_differences_have_a_row_for_each_method(count):
    runs = many_runs(count)
    comparisons = compare(runs, "method-0")
    figure = draw_differences(comparisons, dict.fromkeys(runs, "serial"), "method-0")
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
        t.get_text()
        for t in draw_differences(comparisons, families, "ref").axes[0].get_yticklabels()
    ]
    assert names == ["b (2)", "a (3)"]


# Streams and single runs


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


# Labels and families


def test_families():
    assert family_of("emgd-gmc") == "parallel"
    assert family_of("avg") == "weighting"
    assert family_of("my_lab.methods:make") == "yours"


def test_labels_are_shown_as_they_are_but_not_at_any_length():
    assert short_label("two\n lines") == "two lines"
    assert short_label("x" * 28) == "x" * 28
    assert short_label("x" * 29) == "x" * 27 + "…"
    assert plain("$a$") == r"\$a\$"
    runs = finished_runs([done(r"$\frac$", 0.4), done("b", 0.5)], "class")
    figure = draw_plane(summarize(runs), dict.fromkeys(runs, "yours"), None)
    figure.draw_without_rendering()  # no formula: it would be an error

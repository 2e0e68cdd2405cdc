import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from avalanche_emgd.experiments.report.families import FAMILIES
from avalanche_emgd.experiments.report.plane import draw_plane, shows_intervals
from avalanche_emgd.experiments.report.runs import finished_runs
from avalanche_emgd.experiments.report.statistics import summarize
from tests.experiments.report.boxes import overlap
from tests.experiments.report.records import done, many_runs


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

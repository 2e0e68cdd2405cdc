import numpy as np
import pandas as pd

from avalanche_emgd.experiments.sweep.picture import draw_sweep
from avalanche_emgd.experiments.sweep.space import parse_space
from tests.experiments.sweep.searches import EVERY_KIND

SPACE = parse_space(EVERY_KIND)
TABLE = pd.DataFrame(
    {
        "trial": range(4),
        "status": ["done", "failed", "done", "done"],
        "A_e": [0.5, None, 0.75, 0.25],
        "decay": [0.1, 0.9, 0.2, 0.3],
        "exponent": [1.0, 2.0, 1.5, 0.5],
        "learning_rate": [0.1, 0.05, 0.01, 0.001],
        "optimizer": ["adam", "sgd", "sgd", "adam"],
        "memory_editing": [None, "distance", {"rule": "gmed", "step": 0.1}, "distance"],
    }
)


def panels():
    figure = draw_sweep(TABLE, SPACE, "A_e", "accuracy")
    figure.draw_without_rendering()
    return {ax.get_xlabel(): ax for ax in figure.axes}


def test_the_best_so_far_never_falls():
    found = panels()
    assert set(found) == {"trial", *SPACE}
    points, steps = found["trial"].lines
    assert points.get_xydata().tolist() == [[0, 0.5], [2, 0.75], [3, 0.25]]
    assert list(steps.get_ydata()) == [0.5, 0.75, 0.75]


def test_each_setting_has_a_panel_with_the_best_trial():
    found = panels()
    for name in ("decay", "exponent", "learning_rate"):
        points, best = found[name].lines
        assert list(points.get_xdata()) == TABLE[name][[0, 2, 3]].tolist()
        assert best.get_xydata().tolist() == [[TABLE[name][2], 0.75]]
        assert found[name].get_xscale() == ("log" if name == "learning_rate" else "linear")


def test_choices_are_places_in_their_order():
    found = panels()
    points, best = found["optimizer"].lines
    assert list(points.get_xdata()) == [0, 1, 0]
    assert list(best.get_xdata()) == [1]
    assert [label.get_text() for label in found["optimizer"].get_xticklabels()] == ["adam", "sgd"]
    points, _ = found["memory_editing"].lines
    assert np.array_equal(points.get_xdata(), [0, 2, 1])
    labels = [label.get_text() for label in found["memory_editing"].get_xticklabels()]
    assert max(map(len, labels)) <= 12

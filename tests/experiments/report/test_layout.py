import numpy as np
from matplotlib.figure import Figure

from avalanche_emgd.experiments.report.layout import settle


def drawn():
    figure = Figure(figsize=(4, 3), layout="constrained")
    for ax, label in zip(figure.subplots(1, 2), ("a", "a longer label\nin two lines"), strict=True):
        ax.plot([0, 1], [1e6, 2e6])
        ax.set_ylabel(label)
    return figure


def positions(figure):
    return np.array([ax.get_position().get_points() for ax in figure.axes])


def test_positions_are_those_of_the_layout_without_last_digits():
    figure, again = drawn(), drawn()
    settle(figure)
    found = positions(figure)
    again.draw_without_rendering()
    # Rounding moves a corner by at most half of the last digit that is kept.
    assert np.abs(found - positions(again)).max() <= 0.5e-6 + 4 * np.finfo(np.float64).eps
    assert not np.allclose(found, positions(drawn()))


def test_later_drawings_move_nothing():
    figure = drawn()
    settle(figure)
    before = positions(figure)
    figure.axes[0].set_ylabel("much longer than before " * 3)
    figure.draw_without_rendering()
    assert np.array_equal(positions(figure), before)

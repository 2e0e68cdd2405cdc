import pytest
from matplotlib.figure import Figure

from avalanche_emgd.benchmarks.gantt import draw_gantt, task_color


def test_one_bar_for_each_task_the_first_on_top():
    figure = draw_gantt([(0, 4), (3, 9)], ["one", "two"], [3, 5], None)
    (ax,) = figure.axes
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars == [(0, 5), (3, 7)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]
    assert ax.yaxis_inverted()
    assert len(ax.lines) == 2
    assert ax.get_xlim() == (0, 10)


def test_into_given_axes():
    figure = Figure()
    ax = figure.subplots()
    assert draw_gantt([(0, 1)], ["a"], [], ax) is figure
    part = Figure().subfigures(2)[0]
    assert isinstance(draw_gantt([(0, 1)], ["a"], [], part.subplots()), Figure)


def test_colours_repeat_after_the_palette():
    colours = [task_color(task) for task in range(12)]
    assert len(set(colours)) == 12
    assert task_color(12) == colours[0]
    with pytest.raises(TypeError):
        task_color(None)

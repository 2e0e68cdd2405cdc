from avalanche_emgd.experiments.pictures import plain
from avalanche_emgd.experiments.report.families import family_of, short_label
from avalanche_emgd.experiments.report.plane import draw_plane
from avalanche_emgd.experiments.report.runs import finished_runs
from avalanche_emgd.experiments.report.statistics import summarize
from tests.experiments.report.records import done


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

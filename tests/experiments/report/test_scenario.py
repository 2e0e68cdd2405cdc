from avalanche_emgd.experiments.report import write_report
from tests.experiments.report.records import done, save


def test_a_single_run_without_weights(undrawn, tmp_path):
    save(tmp_path, [done("alone", 0.5, trace=False, label_set=None, timeline=None, seed=3)])
    text = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "| alone | 70.0 | 50.0 | −20.0 | 1 | 1.0 | 5.0 | 300 |" in text
    assert "There is no other method to compare." in text
    assert "No method weighs its objectives in the runs of this block (seed 3)." in text
    assert "from which label sets and time lines are made" in text
    assert {p.name for p in (tmp_path / "report").iterdir()} == {
        "curves-class.svg",
        "plane-class.svg",
        "timelines.svg",
    }


def test_weights_are_those_of_the_reference_if_it_has_any(undrawn, tmp_path):
    records = [done("emgd-gmc", 0.4), done("b", 0.5), done("c", 0.3, trace=False)]
    save(tmp_path, records)
    markdown, _ = write_report(tmp_path)
    assert "in a run of emgd-gmc (" in markdown.read_text(encoding="utf-8")
    text = write_report(tmp_path, reference="c")[0].read_text(encoding="utf-8")
    assert "### Differences to c" in text
    assert "in a run of b (" in text


def test_a_reference_without_runs_in_a_scenario(undrawn, tmp_path):
    save(tmp_path, [done("a", 0.4), done("b", 0.5), done("b", 0.8, scenario="task")])
    text = write_report(tmp_path, reference="a")[0].read_text(encoding="utf-8")
    assert "No run is a pair with one of a." in text

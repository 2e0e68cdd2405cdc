import pytest

from avalanche_emgd.experiments.report import write_report
from tests.experiments.report.page import Page
from tests.experiments.report.records import NASTY, done, failed, save


def test_files(written):
    directory, markdown, html = written
    assert (markdown, html) == (directory / "report.md", directory / "report.html")
    pictures = {path.name for path in (directory / "report").iterdir()}
    kinds = ("plane", "differences", "curves", "losses", "weights")
    assert pictures == {"timelines.svg"} | {
        f"{k}-{s}.svg" for k in kinds for s in ("class", "task")
    }
    assert {p.name for p in directory.iterdir()} == {
        "records",
        "report",
        "report.md",
        "report.html",
    }


def test_unfinished_pairs_are_counted(written):
    _, _, _, differences, *_ = Page(written[2]).tables
    assert {row[0]: row[-1] for row in differences[1:]} == {NASTY: "3", "avg": "3"}
    text = " ".join(Page(written[2]).text)
    assert "With fewer than 6 pairs" in text
    assert text.count("Not all methods are done in the same blocks") == 1  # in one scenario


def test_failed_runs_are_listed(written):
    table = Page(written[2]).tables[-1]
    last = "RuntimeError: <script>alert(1)</script> a|b"
    assert table[1:] == [["avg", "task", "0", "1", "7", last]]


def test_the_same_records_make_the_same_files(written, tmp_path):
    directory, *paths = written
    again = write_report(directory, output=tmp_path / "new" / "place")
    for old, new in zip(paths, again, strict=True):
        assert new.parent == tmp_path / "new" / "place"
        assert old.read_bytes() == new.read_bytes()


def test_reference_that_is_not_there(written, tmp_path):
    with pytest.raises(ValueError, match="`reference` must be a method with finished runs"):
        write_report(written[0], output=tmp_path, reference="mgda")
    assert not any(tmp_path.iterdir())


def test_reference_by_default_is_explained(tmp_path):
    save(tmp_path, [done("a", 0.4), done("b", 0.5)])
    text = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "b, which has the highest mean A\\_ē in the class-incremental scenario" in text


def test_no_study(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no study"):
        write_report(tmp_path / "nowhere")
    (tmp_path / "records").mkdir()
    with pytest.raises(FileNotFoundError, match="no finished or failed runs"):
        write_report(tmp_path)


def test_records_of_several_benchmarks(tmp_path):
    save(tmp_path, [done("a"), done("b", benchmark="ps-emnist")])
    with pytest.raises(ValueError, match="several benchmarks"):
        write_report(tmp_path)


def test_output_that_is_a_file(written, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="`output`"):
        write_report(written[0], output=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_single_run_without_weights(tmp_path):
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


def test_weights_are_those_of_the_reference_if_it_has_any(tmp_path):
    records = [done("emgd-gmc", 0.4), done("b", 0.5), done("c", 0.3, trace=False)]
    save(tmp_path, records)
    markdown, _ = write_report(tmp_path)
    assert "in a run of emgd-gmc (" in markdown.read_text(encoding="utf-8")
    text = write_report(tmp_path, reference="c")[0].read_text(encoding="utf-8")
    assert "### Differences to c" in text
    assert "in a run of b (" in text


def test_only_failures(tmp_path):
    save(tmp_path, [failed("a"), failed("b")])
    markdown, html = write_report(tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "0 done, 2 failed" in text
    assert "No run is done yet" in text
    assert len(Page(html).tables) == 2


def test_a_reference_without_runs_in_a_scenario(tmp_path):
    save(tmp_path, [done("a", 0.4), done("b", 0.5), done("b", 0.8, scenario="task")])
    text = write_report(tmp_path, reference="a")[0].read_text(encoding="utf-8")
    assert "No run is a pair with one of a." in text

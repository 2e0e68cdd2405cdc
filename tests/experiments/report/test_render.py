import pytest

from avalanche_emgd.experiments.report import write_report
from tests.experiments.report.page import Page
from tests.experiments.report.records import NASTY, done, save


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

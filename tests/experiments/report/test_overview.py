from avalanche_emgd.experiments.report import write_report
from avalanche_emgd.experiments.report.overview import failures, head, methods
from tests.experiments.report.page import Page
from tests.experiments.report.records import done, failed, records_of_all_kinds, save


def test_reference_by_default_is_explained(undrawn, tmp_path):
    save(tmp_path, [done("a", 0.4), done("b", 0.5)])
    text = write_report(tmp_path)[0].read_text(encoding="utf-8")
    assert "b, which has the highest mean A\\_ē in the class-incremental scenario" in text


def test_only_failures(undrawn, tmp_path):
    save(tmp_path, [failed("a"), failed("b")])
    markdown, html = write_report(tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "0 done, 2 failed" in text
    assert "No run is done yet" in text
    assert len(Page(html).tables) == 2


def test_records_of_all_kinds_are_counted():
    records = records_of_all_kinds()
    _, table = failures(records)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["avg", "task", "0", "1", "7", "RuntimeError: <script>alert(1)</script> a|b"]
    ]
    assert table.caption.startswith(f"1 run of {len(records)};")
    _, table = methods(records)
    assert [[cell.text for cell in row][-2:] for row in table.rows] == [
        ["8", "0"], ["7", "1"], ["7", "0"],
    ]  # fmt: skip
    _, none = failures(records[:-1])
    assert none.text == "None."


def test_the_head_lists_what_differs():
    records = [done("a", seed=1), done("b", seed=0, timeline=2), failed("b", scenario="task")]
    (terms,) = head(records, "progress", "reference")
    found = dict(terms.items)
    assert found["Methods"] == "2: a; b"
    assert (found["Runs"], found["Reference"]) == ("progress", "reference")
    assert found["Streams"] == "protocol protocol.json; label sets 0; time lines 0, 2; seeds 0, 1"
    assert found["Training"].startswith("device cpu; ")
    (terms,) = head(records[2:], "progress", "reference")
    assert "Highest A_ē" not in dict(terms.items)

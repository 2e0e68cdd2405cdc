import re

from avalanche_emgd.experiments.report import write_latex
from avalanche_emgd.experiments.report.document import Cell, Column, Document, Table
from avalanche_emgd.experiments.report.latex import to_latex
from tests.experiments.report_records import done, save


def test_tables_and_figures_for_a_paper(tmp_path):
    methods = (("emgd-gmc", None), ("avg", "avg_{x}"))
    save(tmp_path, [done(m, name=name, seed=seed) for m, name in methods for seed in (0, 1)])
    path = write_latex(tmp_path, output=tmp_path / "paper")
    assert path == tmp_path / "paper" / "report.tex"
    text = path.read_text(encoding="utf-8")
    for environment in ("table", "tabular", "figure"):
        begun = text.count(f"\\begin{{{environment}}}")
        assert begun == text.count(f"\\end{{{environment}}}") > 0
    figures = re.findall(r"includegraphics\[.*?\]\{(.*?)\}", text)
    assert figures
    for figure in figures:
        assert (path.parent / figure).read_bytes().startswith(b"%PDF")
    assert "avg\\_\\{x\\}" in text
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(labels) == len(set(labels))
    again = {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    write_latex(tmp_path, output=tmp_path / "paper")
    assert {p: p.read_bytes() for p in again} == again


def test_rows_have_a_cell_for_each_column_and_nothing_is_markup():
    nasty = "50 % & $x$_1 #{a}^~\\ −1 ± 2 A_ē\nsecond"
    document = Document("Title")
    document.add(Table(nasty, (Column("m", False), Column(nasty)), ((Cell("a"), Cell("1", True)),)))
    lines = to_latex(document, "report").splitlines()
    assert "\\begin{tabular}{lr}" in lines
    assert "a & \\textbf{1} \\\\" in lines
    (caption,) = (line for line in lines if line.startswith("\\caption"))
    assert caption == (
        "\\caption{50 \\% \\& \\$x\\$\\_1 \\#\\{a\\}\\textasciicircum{}"
        "\\textasciitilde{}\\textbackslash{} $-$1 $\\pm$ 2 A\\_\\={e} second}"
    )

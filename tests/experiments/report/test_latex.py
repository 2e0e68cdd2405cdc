import re
import subprocess
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.experiments.report import write_latex
from avalanche_emgd.experiments.report.document import Cell, Column, Document, Table
from avalanche_emgd.experiments.report.latex import to_latex
from tests.experiments.report.records import done, save


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


# What is left of LaTeX's own: commands that the report uses, with balanced braces and math.
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[{}$&]|[^\\{}$&]+", re.DOTALL)
COMMANDS = {
    *("begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule"),
    *("includegraphics", "linewidth", "textbf", "textbackslash", "textasciitilde"),
    *("textasciicircum", "textasciigrave", "textless", "textgreater", "textbar", "dots"),
    *("pm", "times", "geq", "leq", "Delta", "lambda", "mu", "sigma"),
}


def check_syntax(text):
    """Braces, math and environments are balanced, all is ASCII, and every row has its cells."""
    assert text.isascii()
    depth, in_math, open_environments, columns = 0, False, [], None
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    for number, line in enumerate(lines):
        cells = 1
        for token in _TOKEN.findall(line):
            if token in "{}":
                depth += 1 if token == "{" else -1
                assert depth >= 0
            elif token == "$":
                in_math = not in_math
            elif token == "&":
                cells += 1
            elif token.startswith("\\") and token[1].isalpha():
                assert token[1:] in COMMANDS, token
            elif token.startswith("\\"):
                assert token[1] in "\\&%$#_{}=", token
            else:
                assert not set("#%~") & set(token), token
                assert in_math or not set("_^<>|") & set(token) or r"\label" in line, token
        assert (depth, in_math) == (0, False), line
        if found := re.fullmatch(r"\\begin\{(\w+)\}(?:\{([lr]+)\})?", line):
            open_environments.append(found[1])
            columns = len(found[2]) if found[2] else None
        elif found := re.fullmatch(r"\\end\{(\w+)\}", line):
            assert open_environments.pop() == found[1]
            columns = None
        elif columns and not line.startswith(("\\toprule", "\\midrule", "\\bottomrule")):
            assert line.endswith(" \\\\")
            assert cells == columns, line
            assert not lines[number].startswith(("[", "*"))
    assert open_environments == []


HOSTILE = (
    *(
        "[x]",
        "*",
        "**",
        "a & b",
        "100 %",
        "$x$",
        "\\input{/etc/passwd}",
        "\\",
        "{",
        "}",
        "}{",
        "^^M",
    ),
    *("_", "~", "#1", "a--b", "---", "?`", "!`", "<<", ">>", "|", '"', "''", "``", "⁶", "数", "é"),
    *(
        "naïve",
        "€",
        "🙂",
        "\u202e",
        "a\tb",
        "a\nb",
        "a\x0bb",
        "a\u2028b",
        "½",
        "ﬁ",
        "ø",
        "\\\\",
        "%",
    ),
    *("\\end{tabular}", "\\begin{document}", "ē", "A_ē − 1 ± 2 ≥ 3 … – —", "10⁶"),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_plain_text(name):
    document = Document(name)
    table = Table(name, (Column(name, False), Column(name)), ((Cell(name), Cell(name, True)),) * 2)
    document.add(table)
    check_syntax(to_latex(document, "report"))


def test_what_is_shown_of_a_name():
    for name, shown in (
        ("a--b---", "a-{}-b-{}-{}-"),
        ("[x]*", "{[}x]{*}"),
        ("10⁶", "10$^{6}$"),
        ("naïve", "naive"),
        ("数", "U+6570"),
        ("?`", "?\\textasciigrave{}"),
    ):
        assert f"\\caption{{{shown}}}" in to_latex(one_table(name), "report").splitlines()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_is_plain_text(text):
    document = Document(text)
    document.add(Table(text, (Column(text),), ((Cell(text),), (Cell(text),))))
    check_syntax(to_latex(document, "report"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Path of a report of hostile names."""
    records = [
        done(name, name="avg", seed=seed, scenario=scenario)
        for name in ("emgd-gmc", "[x]", "*", "a & b_{1} ^ $y$ %", "naïve 数--⁶", "\\end{tabular}")
        for seed in (0, 1)
        for scenario in ("task", "class")
    ]
    return write_latex(save(tmp_path_factory.mktemp("hostile"), records))


def test_a_report_of_hostile_names_has_the_right_syntax(hostile):
    check_syntax(hostile.read_text(encoding="utf-8"))


@pytest.mark.skipif(which("pdflatex") is None, reason="needs pdflatex")
def test_a_report_of_hostile_names_compiles(hostile):
    folder = hostile.parent
    rows = "".join(to_latex(one_table(name), "report") for name in HOSTILE)
    rows = re.sub(r"\\label\{.*?\}", "", rows)
    (folder / "rows.tex").write_text(rows, encoding="utf-8")
    (folder / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs, graphicx}\\extrafloats{200}\n"
        f"\\begin{{document}}\\input{{{hostile.name}}}\\clearpage\\input{{rows.tex}}\\end{{document}}\n"
    )
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done_ = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    assert done_.returncode == 0, done_.stdout.decode("latin-1")[-2000:]
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")


def one_table(name):
    document = Document(name)
    document.add(Table(name, (Column(name), Column("b")), ((Cell(name), Cell(name, True)),) * 2))
    return document

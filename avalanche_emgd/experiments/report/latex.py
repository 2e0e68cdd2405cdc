r"""Documents as LaTeX for a paper: tables and figures for ``\input``."""

from __future__ import annotations

import io
import re
import unicodedata

from matplotlib.figure import Figure

from .document import Cell, Document, Picture, Table
from .layout import settle

__all__ = ["pdf", "to_latex"]

_SPECIAL = {
    **{each: f"\\{each}" for each in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    "`": "\\textasciigrave{}",  # with ? and !, a backtick makes other characters
    # After the end of a row or a rule, these characters would begin an argument.
    "[": "{[}",
    "*": "{*}",
    # Characters that pdfLaTeX's fonts do not have.
    "−": "$-$",
    "±": "$\\pm$",
    "×": "$\\times$",
    "≥": "$\\geq$",
    "≤": "$\\leq$",
    "Δ": "$\\Delta$",
    "λ": "$\\lambda$",
    "μ": "$\\mu$",
    "σ": "$\\sigma$",
    "ē": "\\={e}",
    "–": "--",
    "—": "---",
    "…": "\\dots{}",
    **{each: f"$^{{{power}}}$" for power, each in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}
# Hyphens that would become a dash, special characters, and characters of other fonts.
_ANY = re.compile(f"-(?=-)|{'|'.join(map(re.escape, _SPECIAL))}|[^ -~]")


def to_latex(document: Document, folder: str) -> str:
    """Return tables and figures, each in an environment with caption and label.

    The LaTeX needs the packages ``booktabs`` and ``graphicx``. The document's text is left out.

    :param document: document to write.
    :param folder: folder of the figures, relative to the paper.
    """
    lines = [
        f"% {_text(document.title)}",
        "% \\usepackage{booktabs, graphicx}",
    ]
    tables = 0
    for element in document.elements:
        if isinstance(element, Table):
            tables += 1
            lines += ["", *_table(element, f"tab:pcl-{tables}")]
        elif isinstance(element, Picture):
            lines += ["", *_figure(element, folder)]
    return "\n".join(lines) + "\n"


def pdf(figure: Figure) -> bytes:
    """Draw a figure, with the same bytes each time."""
    settle(figure)
    content = io.BytesIO()
    figure.savefig(content, format="pdf", metadata={"CreationDate": None})
    return content.getvalue()


def _table(table: Table, label: str) -> list[str]:
    columns = "".join("r" if column.numeric else "l" for column in table.columns)
    heading = " & ".join(_text(column.text) for column in table.columns)
    return [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_text(table.caption)}}}",
        f"\\label{{{label}}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        f"{heading} \\\\",
        "\\midrule",
        *(" & ".join(map(_cell, row)) + " \\\\" for row in table.rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]


def _figure(picture: Picture, folder: str) -> list[str]:
    return [
        "\\begin{figure}",
        "\\centering",
        f"\\includegraphics[width=\\linewidth]{{{folder}/{picture.name}.pdf}}",
        f"\\caption{{{_text(picture.caption)}}}",
        f"\\label{{fig:pcl-{picture.name}}}",
        "\\end{figure}",
    ]


def _cell(cell: Cell) -> str:
    return f"\\textbf{{{_text(cell.text)}}}" if cell.strong else _text(cell.text)


def _text(text: str) -> str:
    """Escape plain text for pdfLaTeX, on one line.

    A Latin letter loses its accent. Another character that pdfLaTeX's fonts do not have becomes its
    number in Unicode.
    """
    return _ANY.sub(_shown, " ".join(text.split()))


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    if character == "-":
        return "-{}"
    if character in _SPECIAL:
        return _SPECIAL[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    if plain.isalnum():
        return plain
    return f"U+{ord(character):04X}"

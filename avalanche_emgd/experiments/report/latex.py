r"""Documents as LaTeX, for a paper: tables and figures to be taken in with ``\input``."""

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
    "`": "\\textasciigrave{}",  # with ? and ! it makes other characters
    # After the end of a row, and after a rule, these would be arguments.
    "[": "{[}",
    "*": "{*}",
    # What pdfLaTeX's fonts do not have.
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
# Hyphens that would become a dash, special characters, and all that needs another font.
_ANY = re.compile(f"-(?=-)|{'|'.join(map(re.escape, _SPECIAL))}|[^ -~]")


def to_latex(document: Document, folder: str) -> str:
    """Tables and figures, each in an environment of its own with caption and label.

    Needs the packages ``booktabs`` and ``graphicx``. Text between them is left out: a paper has its
    own.

    :param document: what to write.
    :param folder: of the figures, relative to the paper.
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
    """Draw a figure, the same bytes each time."""
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
    """Plain text such that pdfLaTeX shows it, on one line.

    A letter with an accent loses it where the letter is of the Latin alphabet; another character
    that pdfLaTeX's fonts do not have becomes the number that it has in Unicode.
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

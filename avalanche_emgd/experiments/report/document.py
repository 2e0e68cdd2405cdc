"""Elements of a report, independent of its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from matplotlib.figure import Figure

__all__ = [
    "Cell",
    "Column",
    "Document",
    "Element",
    "Heading",
    "Paragraph",
    "Picture",
    "Table",
    "Terms",
]


@dataclass(frozen=True)
class Heading:
    """Heading of a section.

    :param level: level of the heading, 2 or 3; the document's title has 1.
    :param text: text of the heading.
    :param anchor: anchor for links, unique in the document.
    """

    kind: ClassVar[str] = "heading"
    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Terms:
    """Terms with an explanation of each.

    :param items: pairs (term, text).
    """

    kind: ClassVar[str] = "terms"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """Heading of a column.

    :param text: text of the heading.
    :param numeric: whether its cells are numbers.
    """

    text: str
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """Text in a table.

    :param text: plain text.
    :param strong: whether the text is bold.
    """

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows and columns; the first cell of a row is its heading.

    :param caption: content of the table, and how to read it.
    :param columns: headings of the columns, at least one.
    :param rows: rows, each with a cell for each column.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure, in a separate file or within the document.

    :param name: name of its file, without suffix; unique in the document.
    :param figure: figure to draw.
    :param caption: text on how to read the figure.
    :param alt: alternative text: the content of the figure in words.
    """

    kind: ClassVar[str] = "picture"
    name: str
    figure: Figure
    caption: str
    alt: str


Element = Heading | Paragraph | Terms | Table | Picture


@dataclass
class Document:
    """A title and the elements below it.

    :param title: title of the document.
    :param elements: elements, in order.
    """

    title: str
    elements: list[Element] = field(default_factory=list)

    def add(self, *elements: Element) -> None:
        """Append elements."""
        self.elements.extend(elements)

    @property
    def headings(self) -> Sequence[Heading]:
        """Of all sections."""
        return [element for element in self.elements if isinstance(element, Heading)]

    @property
    def pictures(self) -> Sequence[Picture]:
        """All of them."""
        return [element for element in self.elements if isinstance(element, Picture)]

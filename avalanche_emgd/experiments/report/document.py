"""What a report is made of, whatever it is written as."""

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

    :param level: 2 or 3; the document's title has 1.
    :param text: of it.
    :param anchor: to link to it, unique in the document.
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
    """Terms with what there is to say about each.

    :param items: (term, text).
    """

    kind: ClassVar[str] = "terms"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """Heading of a column.

    :param text: of it.
    :param numeric: whether its cells are numbers.
    """

    text: str
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """Text in a table.

    :param text: plain.
    :param strong: whether it stands out.
    """

    text: str
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows and columns; the first cell of a row is its heading.

    :param caption: what it shows, and how to read it.
    :param columns: at least one.
    :param rows: each with a cell for each column.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A figure, in a file of its own or within the document.

    :param name: of its file, without suffix; unique in the document.
    :param figure: to draw.
    :param caption: how to read it.
    :param alt: what it shows, for those who do not see it.
    """

    kind: ClassVar[str] = "picture"
    name: str
    figure: Figure
    caption: str
    alt: str


Element = Heading | Paragraph | Terms | Table | Picture


@dataclass
class Document:
    """A title and what comes below it.

    :param title: of the document.
    :param elements: in order.
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

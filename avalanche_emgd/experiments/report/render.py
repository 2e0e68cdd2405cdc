"""Documents as Markdown with separate pictures, and as one HTML file."""

from __future__ import annotations

import base64
import io
import re
from functools import cache

import matplotlib
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from .document import Document
from .layout import settle

__all__ = ["svg", "to_html", "to_markdown"]

# Characters that Markdown and its dialects take for markup, and the start of HTML.
_MARKUP = re.compile(r"([\\`*_\[\]<>|$~#&])")


def to_html(document: Document, pictures: dict[str, bytes]) -> str:
    """Return the text of one HTML file, which needs no script and no network.

    :param document: document to write.
    :param pictures: SVG of each picture by name.
    """
    sources = {
        name: "data:image/svg+xml;base64," + base64.b64encode(content).decode("ascii")
        for name, content in pictures.items()
    }
    return _templates().get_template("report.html.j2").render(document=document, sources=sources)


def to_markdown(document: Document, folder: str) -> str:
    """Return Markdown with links to pictures.

    :param document: document to write.
    :param folder: folder of the pictures, relative to the file.
    """
    return _templates().get_template("report.md.j2").render(document=document, folder=folder)


def svg(figure: Figure) -> bytes:
    """Draw a figure, with the same bytes each time; letters are shapes and need no fonts."""
    settle(figure)
    content = io.BytesIO()
    settings = {"svg.fonttype": "path", "svg.hashsalt": "avalanche-emgd"}
    with matplotlib.rc_context(settings):
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def _markdown(text: str) -> str:
    """Escape plain text such that Markdown shows it unchanged, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = _markdown
    return environment

"""Documents as Markdown with pictures beside it, and as one HTML file."""

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

# Everything that Markdown, or what is built on it, takes for markup; and the start of HTML.
_MARKUP = re.compile(r"([\\`*_\[\]<>|$~#&])")


def to_html(document: Document, pictures: dict[str, bytes]) -> str:
    """One file that needs nothing else: no script, no network.

    :param document: what to write.
    :param pictures: SVG of each picture by its name.
    """
    sources = {
        name: "data:image/svg+xml;base64," + base64.b64encode(content).decode("ascii")
        for name, content in pictures.items()
    }
    return _templates().get_template("report.html.j2").render(document=document, sources=sources)


def to_markdown(document: Document, folder: str) -> str:
    """Text with links to pictures.

    :param document: what to write.
    :param folder: of the pictures, relative to the file.
    """
    return _templates().get_template("report.md.j2").render(document=document, folder=folder)


def svg(figure: Figure) -> bytes:
    """Draw a figure, the same bytes each time; letters are shapes, so that no fonts are needed."""
    settle(figure)
    content = io.BytesIO()
    settings = {"svg.fonttype": "path", "svg.hashsalt": "avalanche-emgd"}
    with matplotlib.rc_context(settings):
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def _markdown(text: str) -> str:
    """Plain text such that Markdown shows it as it is, on one line."""
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

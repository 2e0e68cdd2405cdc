"""How pictures show a method: by the colour and the marker of its family, and a label that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matplotlib.lines import Line2D

from ...training.methods import METHODS, Family

__all__ = ["FAMILIES", "Look", "family_handles", "family_of", "short_label"]


@dataclass(frozen=True)
class Look:
    """How a family looks.

    :param marker: of Matplotlib.
    :param color: of marker and lines.
    :param words: what it is.
    """

    marker: str
    color: str
    words: str


# Okabe and Ito's colours, as those of the tasks.
FAMILIES: Mapping[Family, Look] = {
    "parallel": Look("o", "#0072B2", "parallel continual learning"),
    "weighting": Look("s", "#E69F00", "multi-task weighting"),
    "serial": Look("^", "#009E73", "serial continual learning"),
    "bound": Look("D", "#666666", "bound"),
    "yours": Look("P", "#CC79A7", "your own"),
}
"""How each family of methods looks."""


def family_of(method: str) -> Family:
    """Family of a method; one that is not built in is the user's own.

    :param method: its name, see :func:`~avalanche_emgd.training.methods.find_method`.
    """
    return METHODS[method].family if method in METHODS else "yours"


def family_handles(families: Iterable[Family]) -> list[Line2D]:
    """Entries of a legend, one for each family that occurs."""
    found = set(families)
    return [
        Line2D([], [], linestyle="", marker=look.marker, color=look.color, label=look.words)
        for family, look in FAMILIES.items()
        if family in found
    ]


def short_label(label: str, most: int = 28) -> str:
    """Label of a method for a picture: on one line, and not too long.

    :param most: letters.
    """
    label = " ".join(label.split())
    return label if len(label) <= most else label[: most - 1] + "…"

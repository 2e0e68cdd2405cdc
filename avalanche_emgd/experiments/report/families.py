"""Colour and marker of the families of methods in pictures, and labels of limited length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matplotlib.lines import Line2D

from ...training.methods import METHODS, Family

__all__ = ["FAMILIES", "Look", "family_handles", "family_of", "short_label"]


@dataclass(frozen=True)
class Look:
    """Appearance of a family.

    :param marker: Matplotlib's name of the marker.
    :param color: color of marker and lines.
    :param words: words for the family.
    """

    marker: str
    color: str
    words: str


# Okabe and Ito's colours, like those of the tasks.
FAMILIES: Mapping[Family, Look] = {
    "parallel": Look("o", "#0072B2", "parallel continual learning"),
    "weighting": Look("s", "#E69F00", "multi-task weighting"),
    "serial": Look("^", "#009E73", "serial continual learning"),
    "bound": Look("D", "#666666", "bound"),
    "yours": Look("P", "#CC79A7", "your own"),
}
"""Appearance of each family of methods."""


def family_of(method: str) -> Family:
    """Return the family of a method; a method that is not built in belongs to ``"yours"``.

    :param method: name of the method, see :func:`~avalanche_emgd.training.methods.find_method`.
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
    """Return the label of a method for a picture, on one line and of limited length.

    :param most: largest number of letters.
    """
    label = " ".join(label.split())
    return label if len(label) <= most else label[: most - 1] + "…"

"""Labels beside points, placed so that they do not cover each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .layout import settle

__all__ = ["label_points", "place_boxes"]

Array = np.ndarray[Any, np.dtype[Any]]

_ANGLES = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
_RADII = np.array([8, 12, 17, 23, 30, 38, 47, 58, 70, 84, 100, 120, 145, 175, 210, 250])
_ROUNDS = 8
# Letters drawn as shapes are not fitted to pixels, in contrast to those that are measured.
_WIDER = 1.05
_MARGIN = 1.5
# Costs in pixels of distance: a label covers another one or a point, its line crosses one, a label
# leaves the picture.
_COVER, _CROSS, _OUTSIDE = 2000.0, 60.0, 1e6


def label_points(
    ax: Axes,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    size: float,
    bold: Sequence[bool],
) -> None:
    """Write a label near each point, with a thin line if the label is not beside the point.

    All other elements must be drawn before: this function settles the layout of the figure.

    :param ax: axes with linear scales.
    :param points: (x, y) in data coordinates.
    :param texts: texts, one for each point.
    :param size: size of the letters in typographic points.
    :param bold: flags for each text, whether it is bold.
    """
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise TypeError("`ax` must belong to a figure.")
    renderer = FigureCanvasAgg(figure).get_renderer()
    settle(figure)
    labels = [
        ax.annotate(
            text,
            point,
            (0, 0),
            textcoords="offset points",
            fontsize=size,
            fontweight="bold" if heavy else "normal",
            ha="center",
            va="center",
        )
        for text, point, heavy in zip(texts, points, bold, strict=True)
    ]
    extents = [label.get_window_extent(renderer) for label in labels]
    frame = ax.get_window_extent(renderer)
    anchors = ax.transData.transform(np.asarray(points, dtype=float))
    sizes = np.array([(_WIDER * extent.width, extent.height) for extent in extents])
    bounds = np.array([frame.x0, frame.y0, frame.x1, frame.y1])
    boxes = place_boxes(anchors, sizes, bounds)
    to_points = 72.0 / figure.dpi  # pictures are the same at any resolution
    for label, anchor, box in zip(labels, anchors, boxes, strict=True):
        center = (box[:2] + box[2:]) / 2.0
        label.set_position(tuple((center - anchor) * to_points))
        near = np.clip(anchor, box[:2], box[2:])
        if np.hypot(*(near - anchor)) > _RADII[1]:
            ax.annotate(
                "",
                anchor * to_points,
                near * to_points,
                xycoords="figure points",
                textcoords="figure points",
                arrowprops={"arrowstyle": "-", "color": "0.55", "linewidth": 0.6, "shrinkA": 0},
                zorder=1.5,
            )


def place_boxes(anchors: Array, sizes: Array, bounds: Array) -> Array:
    """Place a box near each anchor, apart from each other and from the anchors.

    Each box in turn takes the best of many places around its anchor, given the others, in a few
    rounds. Without space for all, some overlap.

    :param anchors: anchors in pixels, ``[n, 2]``.
    :param sizes: width and height of the boxes, ``[n, 2]``.
    :param bounds: left, bottom, right and top of the available area, ``[4]``.
    :return: ``[n, 4]``: left, bottom, right and top of each.
    """
    choices = [_choices(anchor, size) for anchor, size in zip(anchors, sizes, strict=True)]
    boxes = np.array([boxes[0] for boxes in choices])
    # Crowded labels come first, because they need the space around them most.
    distances = np.hypot(*(anchors[:, None] - anchors[None]).transpose(2, 0, 1))
    order = np.argsort(-(distances < 60.0).sum(axis=1), kind="stable")
    for turn in range(_ROUNDS):
        before = boxes.copy()
        for position, i in enumerate(order):
            others = [j for j in (order if turn else order[:position]) if j != i]
            costs = _costs(choices[i], anchors[i], boxes[others], anchors[others], anchors, bounds)
            boxes[i] = choices[i][int(np.argmin(costs))]
        if turn and np.array_equal(before, boxes):
            break
    return boxes


def _choices(anchor: Array, size: Array) -> Array:
    """Boxes ``[K, 4]`` around an anchor, the nearest first."""
    around = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    centers = anchor + (around * (_RADII[:, None, None] + size / 2.0)).reshape(-1, 2)
    return np.concatenate([centers - size / 2.0, centers + size / 2.0], axis=1)


def _costs(
    boxes: Array, anchor: Array, others: Array, others_anchors: Array, anchors: Array, bounds: Array
) -> Array:
    """Cost ``[K]`` of each place for one box, given those of the others."""
    near = np.clip(anchor, boxes[:, :2], boxes[:, 2:])
    costs = np.hypot(*(near - anchor).T)
    overflow = np.maximum(bounds[:2] - boxes[:, :2], 0) + np.maximum(boxes[:, 2:] - bounds[2:], 0)
    costs += _OUTSIDE * (overflow.sum(axis=1) > 0)
    points = np.concatenate([anchors - 5.0, anchors + 5.0], axis=1)
    costs += _COVER * _overlaps(boxes, np.concatenate([others, points])).sum(axis=1)
    others_near = np.clip(others_anchors, others[:, :2], others[:, 2:])
    line, lines = (anchor, near[:, None]), (others_anchors, others_near)
    # A line that goes through a box crosses one of its diagonals.
    for one, other in (([0, 1], [2, 3]), ([0, 3], [2, 1])):
        costs += _CROSS * _cross(*line, others[:, one], others[:, other]).sum(axis=1)
        corners = boxes[:, None, one], boxes[:, None, other]
        costs += _CROSS * _cross(*corners, *lines).sum(axis=1)
    return costs + _CROSS * _cross(*line, *lines).sum(axis=1)


def _overlaps(boxes: Array, others: Array) -> Array:
    """Whether each of ``[K, 4]`` overlaps each of ``[m, 4]``: ``[K, m]``."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.all(high - low > -_MARGIN, axis=2)


def _cross(p: Array, q: Array, r: Array, s: Array) -> Array:
    """Whether the segments from p to q cross those from r to s, all ``[..., 2]``."""

    def side(a: Array, b: Array, c: Array) -> Array:
        ab, ac = b - a, c - a
        return ab[..., 0] * ac[..., 1] > ab[..., 1] * ac[..., 0]

    return (side(p, q, r) != side(p, q, s)) & (side(r, s, p) != side(r, s, q))

"""Settings of memory editing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..._near import known_words
from ..._numbers import check_whole
from ..._text_files import excerpt
from .bounds import Norm, PixelBounds
from .rules import EDITING_RULES, EditingRule

__all__ = ["EditingSpec", "MemoryEditing", "make_memory_editing"]


@dataclass(frozen=True)
class MemoryEditing:
    """Settings of memory editing: rule, bounds and ticks.

    :param rule: an :class:`EditingRule` or a name. ``"distance"`` (arXiv 2401.01054) decreases the
        distance between the memory's gradient and the direction, ``"cosine"`` their angle.
        ``"agreement"`` increases their inner product. ``"gmed"`` is the rule of Jin et al. (NeurIPS
        2021).
    :param step: length of one edit of one image, > 0; see :class:`PixelBounds`.
    :param radius: radius of the ball around the original, > 0; see :class:`PixelBounds`.
    :param norm: norm of an edit, ``"l2"`` or ``"sign"``; see :class:`PixelBounds`.
    :param pixel_range: lowest and highest valid value; see :class:`PixelBounds`.
    :param every: number of ticks between two edits, ≥ 1.
    :param start: tick of the first edit, ≥ 0.
    :param only_conflicting: whether to edit only images whose loss the update increases, to first
        order.
    :param measure_every: number of edits between two measurements of their effect, ≥ 0; no
        measurements if 0.
    :param settings: settings of the rule, if ``rule`` is a name.
    :raises ValueError: if a value is out of range, or ``settings`` do not belong to the rule.
    """

    rule: str | EditingRule = "distance"
    step: float = 0.05
    radius: float = 0.5
    norm: Norm = "l2"
    pixel_range: Any = None
    every: int = 1
    start: int = 0
    only_conflicting: bool = False
    measure_every: int = 10
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, low in (("every", 1), ("start", 0), ("measure_every", 0)):
            check_whole(name, getattr(self, name), low)
        if not isinstance(self.only_conflicting, bool):
            raise ValueError(
                f"`only_conflicting` must be true or false, found {self.only_conflicting!r}."
            )
        if isinstance(self.pixel_range, list):  # JSON and YAML have lists in place of tuples
            ends = (tuple(e) if isinstance(e, list) else e for e in self.pixel_range)
            object.__setattr__(self, "pixel_range", tuple(ends))
        self.make_bounds()
        self.make_rule()

    def make_bounds(self) -> PixelBounds:
        """Make the bounds on each edit."""
        return PixelBounds(self.step, self.radius, self.norm, self.pixel_range)

    def make_rule(self) -> EditingRule:
        """Make the rule of the edits.

        :raises ValueError: if the rule is unknown, or ``settings`` do not belong to it.
        """
        if isinstance(self.rule, EditingRule):
            if self.settings:
                raise ValueError(
                    "`settings` are for a `rule` given by its name, found an EditingRule: leave "
                    "them out."
                )
            return self.rule
        if self.rule not in EDITING_RULES:
            raise ValueError(
                f"`rule` must be one of {', '.join(EDITING_RULES)}, or an EditingRule, found "
                f"{excerpt(self.rule)}."
            )
        kind = EDITING_RULES[self.rule]
        known = list(inspect.signature(kind).parameters)
        unknown = [name for name in self.settings if name not in known]
        if unknown:
            raise ValueError(
                f"`settings` of the rule {self.rule!r} can be {', '.join(known)}, found "
                f"{', '.join(unknown)}."
            )
        return kind(**self.settings)


EditingSpec = MemoryEditing | Mapping[str, Any] | str
"""Settings, a mapping of some of them, or the name of a rule."""


def make_memory_editing(spec: EditingSpec) -> MemoryEditing:
    """Convert settings, a mapping or the name of a rule into settings.

    :param spec: argument of the user.
    :raises ValueError: if ``spec`` has another type, unknown names or invalid values.
    """
    if isinstance(spec, MemoryEditing):
        return spec
    if isinstance(spec, str):
        return MemoryEditing(spec)
    if not isinstance(spec, Mapping):
        raise ValueError(
            "`memory_editing` must be settings (MemoryEditing), a mapping of some of them, or the "
            f"name of a rule, found {spec!r}."
        )
    known = [f.name for f in fields(MemoryEditing)]
    unknown = [str(name) for name in spec if name not in known]
    if unknown:
        raise ValueError(
            f"`memory_editing` has unknown settings: {', '.join(unknown)}."
            f"{known_words(unknown[0], known)}."
        )
    return MemoryEditing(**spec)

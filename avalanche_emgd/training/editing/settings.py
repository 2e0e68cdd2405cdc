"""Settings of memory editing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..._near import did_you_mean
from .bounds import Norm, PixelBounds
from .rules import EDITING_RULES, EditingRule

__all__ = ["EditingSpec", "MemoryEditing", "make_memory_editing"]


@dataclass(frozen=True)
class MemoryEditing:
    """When, which way and how far replayed images are edited.

    :param rule: ``"distance"`` (that of arXiv 2401.01054: lowers the distance of the memory's
        gradient to the direction), ``"cosine"`` (lowers their angle), ``"agreement"`` (raises their
        inner product), ``"gmed"`` (Jin et al., NeurIPS 2021), or an :class:`EditingRule`.
    :param step: see :class:`PixelBounds`.
    :param radius: see :class:`PixelBounds`.
    :param norm: see :class:`PixelBounds`.
    :param pixel_range: see :class:`PixelBounds`.
    :param every: edit at every so many ticks, ≥ 1.
    :param start: no edits before this tick, ≥ 0.
    :param only_conflicting: edit only images whose loss the update raises, to first order.
    :param measure_every: look at the effect of every so many edits, ≥ 0; never if 0.
    :param settings: of the rule, if that is given by its name.
    :raises ValueError: if something is out of range, or the settings are not the rule's.
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
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ValueError(f"`{name}` must be a whole number of at least {low}: {value!r}.")
        if isinstance(self.pixel_range, list):  # as JSON and YAML have it
            ends = (tuple(e) if isinstance(e, list) else e for e in self.pixel_range)
            object.__setattr__(self, "pixel_range", tuple(ends))
        self.make_bounds()
        self.make_rule()

    def make_bounds(self) -> PixelBounds:
        """Bounds on each edit."""
        return PixelBounds(self.step, self.radius, self.norm, self.pixel_range)

    def make_rule(self) -> EditingRule:
        """Rule that says which way to go."""
        if isinstance(self.rule, EditingRule):
            if self.settings:
                raise ValueError("`settings` are of a rule given by its name: leave them out.")
            return self.rule
        if self.rule not in EDITING_RULES:
            raise ValueError(
                f"`rule` must be one of {', '.join(EDITING_RULES)}, or an EditingRule, found "
                f"{self.rule!r}."
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
    """Make settings of what a user gives.

    :raises ValueError: if it is none of :data:`EditingSpec`, has unknown names or bad values.
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
            f"`memory_editing` has unknown settings: {', '.join(unknown)}. Known are "
            f"{', '.join(known)}.{did_you_mean(unknown[0], known)}"
        )
    return MemoryEditing(**spec)

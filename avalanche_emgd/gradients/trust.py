"""Results of comparisons with separate passes, and the choice of the next pass."""

from __future__ import annotations

import hashlib
import operator
import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn

from .fitness import unfit_for_fusing
from .model_structure import modules_of, same_structure, structure_of
from .rules import is_known

__all__ = ["Trust"]


class Trust:
    """Says at each tick whether passes may be made together, must be compared, or stay separate.

    A tick is compared if it is tick 1, 2, 4, 8 ... with several objectives, or has more or fewer
    samples than any before. The count begins anew after each change of the model: of modules,
    modes, attributes, hooks, parameters or the shape of its graph.
    """

    def __init__(self) -> None:
        self.module: nn.Module | None = None
        """The model; ``None`` if it is not known yet."""
        self.structure: list[Any] = []
        """Its structure at the last look."""
        self.layers: list[nn.Module] = []
        """Its known layers."""
        self.reason: str | None = "it has no model yet"
        """Why passes are not made together; ``None`` if they are."""
        self._is_refused = True
        self._parameters: list[Tensor] = []  # by which gradients have been compared
        self._forget()

    def _forget(self) -> None:
        self._ticks = 0
        self._seen: dict[Hashable, list[bool]] = {}
        self._fewest, self._most = sys.maxsize, -1  # samples that have been compared
        self._loaded: dict[str, list[bool]] = {}  # of a state, by digests of shapes

    def state_dict(self) -> dict[str, Any]:
        """Return the results as numbers and text; none if the model has changed since."""
        if self.module is None or not same_structure(structure_of(self.module), self.structure):
            return {"is_attached": self.module is not None}
        names = {id(p): name for name, p in self.module.named_parameters()}
        return {
            "is_attached": True,
            "ticks": self._ticks,
            "seen": {
                **self._loaded,
                **{_digest_of(shape): list(seen) for shape, seen in self._seen.items()},
            },
            "samples": [self._fewest, self._most],
            "parameters": [names.get(id(p)) for p in self._parameters],
            "reason": self.reason,
            "is_refused": self._is_refused,
        }

    def load_state_dict(self, state: Mapping[str, Any], module: nn.Module) -> None:
        """Restore the state of :meth:`state_dict` for a model in training mode.

        :param state: state.
        :param module: model.
        """
        if not state["is_attached"]:
            return
        self.module, self.structure = None, []
        self.attach(module)
        if "ticks" not in state:
            return
        named = dict(module.named_parameters())
        self._ticks, (self._fewest, self._most) = state["ticks"], state["samples"]
        self._seen = {}
        if all(name in named for name in state["parameters"]):
            self._loaded = {digest: list(seen) for digest, seen in state["seen"].items()}
            self._parameters = [named[name] for name in state["parameters"]]
        self.reason, self._is_refused = state["reason"], state["is_refused"]

    def _calls_seen(self, shape: Hashable) -> list[bool] | None:
        """Return which calls in graphs of a shape have had gradients compared."""
        found = self._seen.get(shape)
        if found is None and self._loaded:
            found = self._loaded.pop(_digest_of(shape), None)
            if found is not None:
                self._seen[shape] = found
        return found

    def attach(self, module: nn.Module) -> None:
        """Say which model it is."""
        if module is not self.module:
            self.module, self.structure = module, []
        self.examine()

    def examine(self) -> None:
        """Begin anew if the model has changed."""
        if self.module is None:
            return
        structure = structure_of(self.module)
        if not same_structure(structure, self.structure):
            self.structure = structure
            self._forget()
            self.layers = [each for each in modules_of(self.module) if is_known(each)]
            self.reason = unfit_for_fusing(self.module)
            self._is_refused = self.reason is not None

    def settle(self) -> None:
        """Note that separate passes have been made: what these have written is no change."""
        if self._is_refused and self.module is not None:
            self.structure = structure_of(self.module)

    def next_tick(self) -> Literal["separate", "compare", "fuse"]:
        """Say what to do at the next tick with several objectives."""
        self._ticks += 1
        if self._is_refused:
            return "separate"
        is_due = self._ticks & (self._ticks - 1) == 0  # a power of two
        if is_due:
            return "compare"
        return "fuse" if self.reason is None else "separate"

    def has_seen_sizes(self, sizes: Sequence[int]) -> bool:
        """Whether as many samples have been compared, and as few of one objective."""
        return min(sizes) >= self._fewest and sum(sizes) <= self._most

    def has_seen_shape(self, shape: Hashable) -> bool:
        """Whether gradients of all layers of a graph of this shape have been compared."""
        return all(self._calls_seen(shape) or [False])

    def has_seen_parameters(self, parameters: Sequence[Tensor]) -> bool:
        """Whether gradients by these very parameters have been compared."""
        return len(parameters) == len(self._parameters) and all(
            map(operator.is_, parameters, self._parameters)
        )

    def begin_anew(self) -> None:
        """Compare the next tick, whose gradients are by other parameters."""
        self._ticks, self._seen, self._loaded = 0, {}, {}

    def refuse(self, reason: str) -> None:
        """Make separate passes until the model changes."""
        self.reason, self._is_refused = reason, True

    def compared(
        self,
        shape: Hashable,
        seen: Sequence[bool],
        parameters: Sequence[Tensor],
        sizes: Sequence[int],
    ) -> None:
        """Record that a joint pass was the same as separate passes.

        :param shape: shape of its graph.
        :param seen: one boolean for each call of a layer: whether gradients that are not zero were
            compared.
        :param parameters: parameters by which gradients were taken.
        :param sizes: samples of each objective.
        """
        if not self.has_seen_parameters(parameters):
            self._parameters, self._seen, self._loaded = list(parameters), {}, {}
        self._fewest, self._most = min(self._fewest, *sizes), max(self._most, sum(sizes))
        before = self._calls_seen(shape) or [False] * len(seen)
        self._seen[shape] = [a or b for a, b in zip(before, seen, strict=True)]
        is_whole = all(self._seen[shape])
        self.reason = None if is_whole else "some layers have had no gradient to compare yet"


def _digest_of(shape: Hashable) -> str:
    """Digest of the shape of a graph, equal in every process."""
    return hashlib.sha256(_text_of(shape).encode()).hexdigest()


def _text_of(shape: Any) -> str:
    if isinstance(shape, tuple):
        return f"({','.join(map(_text_of, shape))})"
    return f"{shape.__module__}.{shape.__qualname__}" if isinstance(shape, type) else repr(shape)

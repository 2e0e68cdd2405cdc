"""Where in memory the gradients of all objectives by layers' parameters are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from itertools import accumulate

from torch import Tensor, nn

from ._block_products import BLOCK
from .engine import reusable
from .laid_out import LaidOut, Piece
from .layer_gradients import MANY, Writer, writer_for

__all__ = ["GradientLayout"]

# Elements of a linear layer's weight from which on its gradients have a piece of memory of their
# own, so that they can be computed at once, if objectives are many.
_LARGE = 16 * 1024


class GradientLayout:
    """What is written where, by the layers that have been called.

    :param n: how many objectives.
    :param layers: in the order of their calls.
    :param products: for each call, whether the layer is linear and the gradients by its weight had
        better stay outer products. They do unless other calls use that weight.
    :param parameters: of the flat space, in its order, P elements in all.
    :param memory: of an earlier layout, to be used again.
    """

    def __init__(
        self,
        n: int,
        layers: Sequence[nn.Module],
        products: Sequence[bool],
        parameters: Sequence[Tensor],
        memory: Tensor | None,
    ) -> None:
        places = {id(p): k for k, p in enumerate(parameters)}
        lengths = [p.numel() for p in parameters]
        starts = list(accumulate([0, *lengths]))
        self.size: int = starts[-1]
        """P, elements of the flat space."""
        times = Counter(id(p) for layer in layers for p in layer._parameters.values())
        outer: dict[int, int] = {}
        apart: set[int] = set()
        for call, layer in enumerate(layers):
            weight = layer._parameters.get("weight")
            place = places.get(id(weight), -1)
            if place < 0:
                continue
            if products[call] and times[id(weight)] == 1:
                outer[place] = call
            elif type(layer) is nn.Linear and lengths[place] >= _LARGE and n >= MANY:
                apart.add(place)
        self.outer: list[tuple[int, int]] = [(call, starts[place]) for place, call in outer.items()]
        """Calls whose weight's gradients stay outer products, and where these start."""
        groups = _groups(len(parameters), outer, apart)
        totals = [sum(lengths[place] for place in group) for group in groups]
        widths = [
            total if group[0] in apart else -(-total // BLOCK) * BLOCK
            for group, total in zip(groups, totals, strict=True)
        ]
        self.memory: Tensor = reusable(memory, n * sum(widths), parameters[0])
        """That the gradients are written to."""
        pieces: dict[int, Tensor] = {}
        dense: list[Piece] = []
        blocks = self.memory[: n * sum(widths)].split([n * width for width in widths])
        for group, total, block in zip(groups, totals, blocks, strict=True):
            padded = block.view(n, -1)
            padded[:, total:] = 0.0
            dense.append(Piece(starts[group[0]], total, padded))
            own = [lengths[place] for place in group]
            pieces.update(zip(group, dense[-1].rows.split(own, dim=1), strict=True))
        self.laid_out = LaidOut(dense)
        """The gradients by all other parameters."""
        self.used: list[bool] = [place in outer for place in range(len(parameters))]
        """For each parameter, whether a call uses it."""
        self.steps: list[tuple[int, Writer]] = []
        """Calls, and what writes the gradients by their parameters."""
        for call, layer in enumerate(layers):
            known = {name: places.get(id(p), -1) for name, p in layer._parameters.items()}
            known = {name: place for name, place in known.items() if place in pieces}
            for add in (False, True):  # the second call of a layer adds to what the first has left
                targets = {name: pieces[k] for name, k in known.items() if self.used[k] is add}
                if targets:
                    self.steps.append((call, writer_for(layer, targets, add)))
            for place in known.values():
                self.used[place] = True
        self.unused: list[Tensor] = [
            piece for place, piece in pieces.items() if not self.used[place]
        ]
        """Where nothing is written."""


def _groups(count: int, outer: Container[int], apart: Container[int]) -> list[list[int]]:
    """Numbers below ``count`` in groups of successive ones, without some and with some alone."""
    groups: list[list[int]] = []
    is_open = False
    for number in range(count):
        if number in outer:
            is_open = False
        elif is_open and number not in apart:
            groups[-1].append(number)
        else:
            groups.append([number])
            is_open = number not in apart
    return groups

"""Where in memory the gradients of all objectives by layers' parameters are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from torch import Tensor, nn

from ._block_products import BLOCK
from .dense_gradients import DenseGradients, Piece
from .workspace import Workspace
from .writers import MANY, Writer, writer_for

__all__ = ["Layout", "make_layout"]

# Least number of elements of a linear layer's weight whose gradients have a piece of memory of
# their own. One product then computes the gradients of many objectives.
_LARGE = 16 * 1024


@dataclass(frozen=True)
class Layout:
    """Memory of the gradients by each parameter, and the functions that write it.

    :param size: P, elements of the flat space.
    :param outer: calls whose gradients by the weight stay outer products, each with its first
        element in the flat space.
    :param dense: gradients by all other parameters.
    :param steps: calls, and the functions that write the gradients by their parameters.
    :param used: one boolean for each parameter: whether a call uses it.
    :param unused: memory of parameters that no call uses.
    """

    size: int
    outer: Sequence[tuple[int, int]]
    dense: DenseGradients
    steps: Sequence[tuple[int, Writer]]
    used: Sequence[bool]
    unused: Sequence[Tensor]


def make_layout(
    n: int,
    layers: Sequence[nn.Module],
    products: Sequence[bool],
    parameters: Sequence[Tensor],
    workspace: Workspace,
) -> Layout:
    """Lay out the gradients of n objectives.

    :param n: number of objectives.
    :param layers: layers in the order of their calls.
    :param products: one boolean for each call: whether the layer is linear and outer products are
        the better form of the gradients by its weight. They keep that form unless other calls use
        the weight.
    :param parameters: parameters of the flat space, in its order, P elements in all.
    :param workspace: workspace that gives the memory.
    """
    places = {id(p): k for k, p in enumerate(parameters)}
    starts = list(accumulate([0, *(p.numel() for p in parameters)]))
    outer, apart = _placement(n, layers, products, parameters)
    dense, rows = _allocation(n, parameters, outer, apart, workspace)
    steps, used = _writers(layers, places, rows)
    return Layout(
        starts[-1],
        [(call, starts[place]) for place, call in outer.items()],
        dense,
        steps,
        [place in outer or place in used for place in range(len(parameters))],
        [piece for place, piece in rows.items() if place not in used],
    )


def _placement(
    n: int,
    layers: Sequence[nn.Module],
    products: Sequence[bool],
    parameters: Sequence[Tensor],
) -> tuple[dict[int, int], set[int]]:
    """Choose parameters whose gradients stay outer products, each with its call, or lie apart."""
    places = {id(p): k for k, p in enumerate(parameters)}
    times = Counter(id(p) for layer in layers for p in layer._parameters.values())
    outer: dict[int, int] = {}
    apart: set[int] = set()
    for call, layer in enumerate(layers):
        weight = layer._parameters.get("weight")
        place = places.get(id(weight))
        if weight is None or place is None:
            continue
        if products[call] and times[id(weight)] == 1:
            outer[place] = call
        elif type(layer) is nn.Linear and weight.numel() >= _LARGE and n >= MANY:
            apart.add(place)
    return outer, apart


def _allocation(
    n: int,
    parameters: Sequence[Tensor],
    outer: Container[int],
    apart: Container[int],
    workspace: Workspace,
) -> tuple[DenseGradients, dict[int, Tensor]]:
    """Give each parameter its rows ``[n, size]``; those of neighbours are one piece of memory."""
    lengths = [p.numel() for p in parameters]
    starts = list(accumulate([0, *lengths]))
    groups = _groups(len(parameters), outer, apart)
    totals = [sum(lengths[place] for place in group) for group in groups]
    widths = [
        total if group[0] in apart else -(-total // BLOCK) * BLOCK
        for group, total in zip(groups, totals, strict=True)
    ]
    memory = workspace.take(n * sum(widths), parameters[0])
    blocks = memory[: n * sum(widths)].split([n * width for width in widths])
    pieces: list[Piece] = []
    rows: dict[int, Tensor] = {}
    for group, total, block in zip(groups, totals, blocks, strict=True):
        padded = block.view(n, -1)
        padded[:, total:] = 0.0
        pieces.append(Piece(starts[group[0]], total, padded))
        own = [lengths[place] for place in group]
        rows.update(zip(group, pieces[-1].rows.split(own, dim=1), strict=True))
    return DenseGradients(pieces), rows


def _writers(
    layers: Sequence[nn.Module], places: Mapping[int, int], rows: Mapping[int, Tensor]
) -> tuple[list[tuple[int, Writer]], Collection[int]]:
    """Prepare what writes the gradients of each call, and say which parameters are written."""
    steps: list[tuple[int, Writer]] = []
    written: set[int] = set()
    for call, layer in enumerate(layers):
        known = {name: places.get(id(p), -1) for name, p in layer._parameters.items()}
        known = {name: place for name, place in known.items() if place in rows}
        for add in (False, True):  # the second call of a layer adds to what the first has left
            targets = {
                name: rows[place] for name, place in known.items() if (place in written) is add
            }
            if targets:
                steps.append((call, writer_for(layer, targets, add)))
        written.update(known.values())
    return steps, written


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

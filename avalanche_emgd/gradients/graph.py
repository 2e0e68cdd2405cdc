"""Uses of parameters in an autograd graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from torch import Tensor, nn

from .recording import LayerCall

__all__ = ["GraphError", "are_separable", "loss_is_separable", "shape_of", "uses_parameters"]

_LEAF = "torch::autograd::AccumulateGrad"
_CUTS = ("SplitWithSizesBackward0", "SplitWithSizesBackward0_copy")
# Nodes that keep each element in its place.
_BY_ELEMENT = ("MaskedFillBackward0", "WhereBackward0", "ToCopyBackward0")
# Nodes inside one call of a layer. Padding in a circle takes the most, about 60.
_MOST_INSIDE = 512


class GraphError(Exception):
    """A graph in which a parameter acts otherwise than through recorded calls.

    :param message: words for the way in which the parameter acts.
    :param parameter: parameter that acts; ``None`` for other tensors.
    """

    def __init__(self, message: str, parameter: Tensor | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


def shape_of(output: Tensor, calls: Sequence[LayerCall]) -> tuple[Any, ...]:
    """Check that parameters act through recorded calls alone, and describe the graph.

    The walk starts at the output. It enters a recorded call at the node of the call's output only,
    and leaves it at the node of the call's input only. Inside a call it must find the trained
    parameters of that layer, and no others; outside of calls it must find no parameter.

    :param output: output of the model, in the graph.
    :param calls: recorded calls of layers.
    :return: names of the nodes and types of the called layers in the order of the walk, equal for
        graphs of one shape.
    :raises GraphError: if a parameter has another use.
    """
    if output.grad_fn is None:
        raise GraphError("is the output itself", output)
    by_node = {call.node: call for call in calls}
    shape: list[Any] = []
    seen: set[Any] = set()
    stack: list[tuple[Any, int]] = [(output.grad_fn, output.output_nr)]
    while stack:
        node, number = stack.pop()
        call = by_node.get(node)
        if call is not None and number != call.output_nr:
            raise GraphError(f"{type(call.layer).__name__} has outputs that are not recorded")
        if node in seen:
            continue
        seen.add(node)
        if call is not None:
            _check_inside(call)
            shape.append(type(call.layer))
            if call.input_node is not None:
                stack.append((call.input_node, call.input_nr))
            continue
        name = node.name()
        if name == _LEAF:
            if isinstance(node.variable, nn.Parameter):
                raise GraphError("acts by other ways than calls of its layer", node.variable)
            continue
        shape.append(name)
        stack.extend(edge for edge in node.next_functions if edge[0] is not None)
    return tuple(shape)


def _check_inside(call: LayerCall) -> None:
    """Check that a call uses the parameters of its layer, and nothing but these and its input."""
    own = {id(p) for p in call.layer._parameters.values() if p is not None and p.requires_grad}
    found: set[int] = set()
    seen: set[Any] = {call.node}
    stack = [edge[0] for edge in call.node.next_functions]
    while stack:
        node = stack.pop()
        if node is None or node is call.input_node or node in seen:
            continue
        seen.add(node)
        if node.name() == _LEAF:
            found.add(id(node.variable))
        else:
            stack.extend(edge[0] for edge in node.next_functions)
        if len(seen) > _MOST_INSIDE:
            break
    if found != own:
        raise GraphError(
            f"the output of {type(call.layer).__name__} does not follow from its input and its "
            "parameters alone"
        )


def uses_parameters(
    losses: Iterable[Tensor], parameters: Collection[Tensor], output: Tensor
) -> bool:
    """Whether losses depend on parameters by other ways than by an output of the model.

    :param losses: scalars, or tensors of several losses.
    :param parameters: trained parameters.
    :param output: output at which the walk ends.
    """
    trained = {id(p) for p in parameters}
    seen: set[Any] = {output.grad_fn, None}
    stack: list[Any] = [loss.grad_fn for loss in losses]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() == _LEAF:
            if id(node.variable) in trained:
                return True
        else:
            stack.extend(edge[0] for edge in node.next_functions)
    return False


def are_separable(
    losses: Sequence[Tensor],
    parameters: Collection[Tensor],
    output: Tensor,
    sizes: Sequence[int],
) -> bool:
    """Whether each loss depends on the outputs of its own objective alone, and on nothing else.

    :param losses: n scalars.
    :param parameters: trained parameters.
    :param output: joint output of all objectives.
    :param sizes: number of samples of each of the n objectives.
    """
    if len(losses) != len(sizes) or uses_parameters(losses, parameters, output):
        return False
    return all(loss_is_separable(loss, k, output, sizes) for k, loss in enumerate(losses))


def loss_is_separable(loss: Tensor, number: int, output: Tensor, sizes: Sequence[int]) -> bool:
    """Whether a loss depends on the outputs of one objective alone.

    The walk from the loss must reach the output through a node that splits it, or its masked copy,
    into the objectives' pieces. It must enter that node at the objective's own piece.

    :param loss: loss of the objective, a scalar.
    :param number: position of the objective, from 0.
    :param output: joint output of all objectives.
    :param sizes: number of samples of each objective.
    """
    seen: set[Any] = {None}
    stack: list[tuple[Any, int]] = [(loss.grad_fn, 0)]
    while stack:
        node, place = stack.pop()
        if node is output.grad_fn:
            return False
        if node is not None and node.name() in _CUTS:
            if place != number or not _cuts(node, output, sizes):
                return False
            continue
        if node in seen:
            continue
        seen.add(node)
        stack.extend(edge for edge in node.next_functions if edge[0] is not None)
    return True


def _cuts(node: Any, output: Tensor, sizes: Sequence[int]) -> bool:
    """Whether a node cuts an output, or a copy with masked elements, into pieces of given sizes."""
    if getattr(node, "_saved_dim", None) != 0:
        return False
    if list(node._saved_split_sizes) != list(sizes):
        return False
    while node is not None and node is not output.grad_fn:
        ways = [edge[0] for edge in node.next_functions if edge[0] is not None]
        if len(ways) != 1 or (ways[0] is not output.grad_fn and ways[0].name() not in _BY_ELEMENT):
            return False
        node = ways[0]
    return node is not None

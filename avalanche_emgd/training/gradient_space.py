"""The trained parameters as one flat vector, with the shared parameters first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["GradientSpace", "Shared", "positions_of"]

Shared = nn.Module | Iterable[nn.Parameter]


class GradientSpace:
    """Space of the objectives' gradients, of dimension P.

    :param model: model whose parameters with ``requires_grad`` span the space.
    :param shared: module or parameters whose gradients are weighted; all parameters if omitted. The
        gradients of other parameters are summed over the objectives, so that the classifier of one
        objective follows the gradient of this objective.
    :raises ValueError: if no shared parameter is trained.
    """

    def __init__(self, model: nn.Module, shared: Shared | None = None) -> None:
        trained = [p for p in model.parameters() if p.requires_grad]
        if shared is None:
            first = trained
        else:
            shared = shared if isinstance(shared, nn.Module) else list(shared)
            given = shared.parameters() if isinstance(shared, nn.Module) else shared
            wanted = {id(p) for p in given}
            first = [p for p in trained if id(p) in wanted]
        if not first:
            if shared is None:
                raise ValueError("`model` has no parameter with requires_grad=True to train.")
            raise ValueError("`shared` has no trained parameter of `model`.")
        dtypes = sorted({str(p.dtype) for p in trained})
        if len(dtypes) > 1:
            raise ValueError(f"`model` must have trained parameters of one dtype, found {dtypes}.")
        self._shared = shared
        own = {id(p) for p in first}
        self.parameters: list[nn.Parameter] = first + [p for p in trained if id(p) not in own]
        """Trained parameters, in the order of the flat space."""
        self.num_shared: int = sum(p.numel() for p in first)
        """Number of elements of the shared parameters."""
        self._lengths = [p.numel() for p in self.parameters]
        self._make_place()

    def _make_place(self) -> None:
        like = self.parameters[0].detach()
        self.update: Tensor = like.new_empty(sum(self._lengths))
        """Buffer for the gradient of a tick, ``[P]``. The parameters' ``grad`` are views of this
        buffer, and the next tick overwrites it."""
        self._pieces = self._cut(self.update)

    def __getstate__(self) -> dict[str, Any]:
        # Pickled views would lose the connection to their buffer.
        names = ("parameters", "num_shared", "_lengths", "_shared")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_place()

    def renewed(self, model: nn.Module, replaced: Mapping[int, nn.Parameter]) -> GradientSpace:
        """Make the space of a model's present parameters, with the same shared ones.

        :param model: model, some of whose parameters may have grown.
        :param replaced: present parameters by the ``id`` of former ones that have grown.
        """
        shared = self._shared
        if isinstance(shared, list):
            shared = [replaced.get(id(each), each) for each in shared]
        return GradientSpace(model, shared)

    def keep_gradients(self) -> bool:
        """Copy gradients that the parameters have already out of :attr:`update`.

        Return whether there are any. They are left by an optimizer whose ``zero_grad`` does not
        clear them at each tick, or put there by a plugin.
        """
        place = self.update.untyped_storage().data_ptr()
        found = [parameter for parameter in self.parameters if parameter.grad is not None]
        for parameter in found:
            gradient = parameter.grad
            if gradient is not None and gradient.untyped_storage().data_ptr() == place:
                parameter.grad = gradient.clone()
        return bool(found)

    def assign(self, update: Tensor, used: Sequence[bool], *, accumulate: bool) -> None:
        """Set the parameters' ``grad`` to the pieces of a flat gradient.

        :param update: flat gradient ``[P]``, which is not copied; :attr:`update` is fastest.
        :param used: one boolean for each parameter: whether an objective depends on it. The
            ``grad`` of other parameters does not change, so that neither momentum nor weight decay
            moves them.
        :param accumulate: whether to add to existing gradients instead of replacing them.
        """
        pieces = self._pieces if update is self.update else self._cut(update)
        for parameter, gradient, touched in zip(self.parameters, pieces, used, strict=True):
            if not touched:
                continue
            if accumulate and parameter.grad is not None:
                parameter.grad += gradient
            else:
                parameter.grad = gradient

    def _cut(self, update: Tensor) -> list[Tensor]:
        pieces = zip(update.split(self._lengths), self.parameters, strict=True)
        return [piece.view_as(parameter) for piece, parameter in pieces]


def positions_of(
    old: GradientSpace, new: GradientSpace, replaced: dict[int, nn.Parameter]
) -> Tensor:
    """Find the elements of a former space in the present one.

    :param replaced: present parameters by the ``id`` of former ones that have grown.
    :return: positions ``[P_old]``.
    """
    starts, start = {}, 0
    for parameter in new.parameters:
        starts[id(parameter)] = start
        start += parameter.numel()
    found = []
    for parameter in old.parameters:
        now = replaced.get(id(parameter), parameter)
        inside = torch.arange(now.numel()).view(now.shape)[tuple(map(slice, parameter.shape))]
        found.append(inside.reshape(-1) + starts[id(now)])
    return torch.cat(found)

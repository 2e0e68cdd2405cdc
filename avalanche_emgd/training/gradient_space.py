"""The trained parameters as one flat space, the shared ones first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor, nn

__all__ = ["GradientSpace", "Shared"]

Shared = nn.Module | Iterable[nn.Parameter]


class GradientSpace:
    """Where gradients of objectives live.

    :param model: whose parameters with ``requires_grad`` span the space.
    :param shared: module or parameters whose gradients are weighted; all if omitted. The gradients
        of the others are summed up: a classifier that one objective uses follows that one's.
    :raises ValueError: if nothing shared is trained.
    """

    def __init__(self, model: nn.Module, shared: Shared | None = None) -> None:
        trained = [p for p in model.parameters() if p.requires_grad]
        if shared is None:
            first = trained
        else:
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
        own = {id(p) for p in first}
        self.parameters: list[nn.Parameter] = first + [p for p in trained if id(p) not in own]
        """In the order of the flat space."""
        self.num_shared: int = sum(p.numel() for p in first)
        """Elements of the shared parameters."""
        self._lengths = [p.numel() for p in self.parameters]
        self._make_place()

    def _make_place(self) -> None:
        like = self.parameters[0].detach()
        self.update: Tensor = like.new_empty(sum(self._lengths))
        """A place for the gradient of a tick, ``[P]``; the parameters' ``grad`` are views of it,
        which the next tick writes again."""
        self._pieces = self._cut(self.update)

    def __getstate__(self) -> dict[str, Any]:
        # Views would come back apart from what they are views of.
        names = ("parameters", "num_shared", "_lengths")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_place()

    def assign(self, update: Tensor, used: Sequence[bool], *, accumulate: bool) -> None:
        """Hand the flat gradient ``[P]`` to the parameters' ``grad``.

        :param update: is not copied; :attr:`update`, best of all.
        :param used: for each parameter, whether an objective depends on it. The others are left
            alone, so that neither momentum nor weight decay moves them.
        :param accumulate: add to what is there, instead of replacing it.
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

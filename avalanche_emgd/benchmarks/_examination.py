"""Examination of the labels and inputs of a user's data set before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import TensorDataset, default_collate

from .._temporary_seed import temporary_seed
from ._bulk import Bulk, bulk_of
from ._declared import declared_targets, place_of, size_of
from ._labels import as_label, first_difference, is_plain, labels_of, no_label
from .images import ImagesInMemory
from .inputs import InputError, InputKind, extremes_of, kind_of, non_finite_row

__all__ = ["Examination", "Inputs"]

_Pair = tuple[Any, Any]
_SPOTS = 8  # samples for which `load_inputs` is compared with `__getitem__`


@dataclass(frozen=True)
class Inputs:
    """Kinds of the inputs of a data set.

    :param loaded: kind of the inputs after training transforms.
    :param stored: kind of the inputs after evaluation transforms, as a replay memory keeps them.
    :param complete: whether all samples have been examined.
    :param extremes: smallest and largest value of integer inputs in memory; ``None`` for others.
    """

    loaded: InputKind
    stored: InputKind
    complete: bool
    extremes: tuple[int, int] | None = None


@dataclass(frozen=True)
class _Sample:
    label: int
    plain: bool
    kinds: tuple[InputKind, InputKind] | None
    fault: str | None


class Examination:
    """Labels of a data set, and checks of its samples.

    The labels are the targets with which the samples load. If the data set has ``targets``, or is a
    ``TensorDataset``, the labels are read from there, and loaded samples are compared with them.

    :param dataset: data set of ``(x, y, ...)``.
    :param name: name of the argument, for error messages.
    :raises ValueError: if ``dataset`` is not a data set, or its targets are not class labels.
    """

    def __init__(self, dataset: Any, name: str) -> None:
        self.dataset, self.name = dataset, name
        self.as_is = True
        """Whether the targets of the samples are these labels, as plain integers."""
        self._samples: dict[int, _Sample] = {}
        self._size = size_of(dataset, name)
        self._load = _loader_of(dataset)
        self._bulk: Bulk | None = (
            None if isinstance(dataset, AvalancheDataset) else bulk_of(dataset)
        )
        targets = declared_targets(dataset)
        if targets is None:
            self.labels = self._loaded_labels()
        else:
            self.labels = labels_of(targets, name)
        """Class labels of all samples."""
        if len(self.labels) != self._size:
            raise ValueError(f"`{name}` has {self._size} samples but {len(self.labels)} labels.")

    def inputs(self, chosen: Sequence[int] | None, limit: int) -> Inputs | None:
        """Examine inputs, and compare the targets of samples with the labels.

        :param chosen: indices of the samples to examine; all samples if ``None``.
        :param limit: largest number of samples that are loaded one by one. Of a larger data set,
            this many evenly spread samples are loaded.
        :return: kinds of the inputs; ``None`` without samples.
        :raises ValueError: if a sample cannot be used; the message names the sample and the reason.
        """
        indices = self._all() if chosen is None else chosen
        if len(indices) == 0:
            return None
        if self._bulk is not None:
            return self._in_bulk(self._bulk, chosen)
        complete = len(indices) <= limit
        if not complete:
            spread = np.unique(np.linspace(0, len(indices) - 1, limit).astype(int))
            indices = [indices[place] for place in spread.tolist()]
        with temporary_seed(0):
            first = self._checked_kinds(indices[0])
            for index in indices:
                kinds = self._checked_kinds(index)
                if kinds != first:
                    raise ValueError(
                        f"`{self.name}` must have inputs of one shape and type: "
                        f"{place_of(self.dataset, indices[0])} is {first[0]}, "
                        f"{place_of(self.dataset, index)} is {kinds[0]}."
                    )
            self._check_collate(indices[:2])
        return Inputs(*first, complete)

    def _all(self) -> range:
        return range(self._size)

    def _loaded_labels(self) -> list[int]:
        with temporary_seed(0):
            return [self._sample(index).label for index in self._all()]

    def _sample(self, index: int) -> _Sample:
        """Load a sample once, and keep its label and its kinds."""
        if index not in self._samples:
            try:
                (x, y), (stored, own) = self._load(index)
            except InputError as error:
                raise ValueError(f"`{self.name}`: sample {index} {error}.") from None
            except Exception as error:
                raise ValueError(
                    f"`{self.name}`: {place_of(self.dataset, index)} cannot be loaded: "
                    f"{type(error).__name__}: {str(error)[:200]}"
                ) from error
            try:
                label, other = as_label(y), as_label(own)
            except ValueError as error:
                raise ValueError(no_label(self.name, index, error)) from None
            if label != other:
                raise ValueError(
                    f"`{self.name}`: sample {index} has the label {label} after training "
                    f"transforms, {other} after evaluation ones: use one target transform for both."
                )
            try:
                kind = kind_of(x)
                kinds, fault = (kind, kind if stored is x else kind_of(stored)), None
            except InputError as error:
                kinds, fault = None, str(error)
            self._samples[index] = _Sample(label, is_plain(y) and is_plain(own), kinds, fault)
        return self._samples[index]

    def _checked_kinds(self, index: int) -> tuple[InputKind, InputKind]:
        sample = self._sample(index)
        if sample.kinds is None:
            place = place_of(self.dataset, index)
            raise ValueError(f"`{self.name}`: the input of {place} {sample.fault}.")
        self._compare(index, sample)
        return sample.kinds

    def _compare(self, index: int, sample: _Sample) -> None:
        self.as_is = self.as_is and sample.plain
        if sample.label == self.labels[index]:
            return
        if not isinstance(self.dataset, AvalancheDataset):
            raise ValueError(
                f"`{self.name}` has the label {self.labels[index]} in its `targets` where sample "
                f"{index} has {sample.label}: apply its target_transform to `targets` beforehand."
            )
        # Target transforms of Avalanche's data sets do not change `targets`.
        self.labels = self._loaded_labels()

    def _check_collate(self, indices: Sequence[int]) -> None:
        """Check that a `collate_fn` of the data set treats each sample on its own."""
        own = getattr(self.dataset, "collate_fn", None)
        if own is None or own is default_collate:
            return
        avalanche = isinstance(self.dataset, AvalancheDataset)
        view = self.dataset.eval() if avalanche else self.dataset
        samples = [view[index] for index in indices]
        try:
            # Only Avalanche's loaders call the collate_fn of a data set.
            single = [own([sample])[0][0] if avalanche else sample[0] for sample in samples]
            same = torch.equal(own(samples)[0], torch.stack(list(map(torch.as_tensor, single))))
        except Exception as error:
            raise ValueError(
                f"`{self.name}` has a collate_fn that fails on samples {list(indices)}: "
                f"{type(error).__name__}: {str(error)[:200]}"
            ) from error
        if not same:
            raise ValueError(
                f"`{self.name}` has a collate_fn that does more than stack samples: let the data "
                "set itself return tensors of one shape."
            )

    def _in_bulk(self, bulk: Bulk, chosen: Sequence[int] | None) -> Inputs:
        """Examine inputs in memory, many at a time."""
        indices = self._every() if chosen is None else torch.tensor(list(chosen))
        if isinstance(bulk.root, TensorDataset):
            rows = bulk.rows
            assert rows is not None
            if rows.layout != torch.strided or rows[0].numel() == 0:
                raise ValueError(
                    f"`{self.name}` must have dense inputs of at least one number, found shape "
                    f"{tuple(rows.shape)} and layout {rows.layout}."
                )
            everything = bulk.places is None and chosen is None
            places = None if everything else bulk.at(indices)
            bad = non_finite_row(rows, places)
            if bad is not None:
                self._refuse_numbers(int(indices[bad]))
            self._compare_all(labels_of(bulk.root.tensors[1][bulk.at(self._every())], self.name))
            kind = InputKind(tuple(rows.shape[1:]), rows.dtype)
            return Inputs(kind, kind, True, extremes_of(rows, places))
        first = bulk.load(bulk.at(indices[:1]))
        kind = kind_of(first[0])
        if type(bulk.root) is ImagesInMemory:
            self._compare_all(bulk.root.targets[bulk.at(self._every())].tolist())
            return Inputs(kind, kind, True)
        for some in indices.split(256):
            bad = non_finite_row(bulk.load(bulk.at(some)), None)
            if bad is not None:
                self._refuse_numbers(int(some[bad]))
        for index in indices[:: -(-len(indices) // _SPOTS)].tolist():
            if not self._checked_kinds(index)[0].agrees(kind):
                raise ValueError(
                    f"`{self.name}`: `load_inputs` and `__getitem__` give different inputs for "
                    f"sample {index}: make them agree."
                )
        return Inputs(kind, kind, True)

    def _every(self) -> Tensor:
        return torch.arange(self._size)

    def _compare_all(self, loaded: list[int]) -> None:
        index = first_difference(self.labels, loaded)
        if index is not None:
            self._compare(index, _Sample(loaded[index], True, None, None))

    def _refuse_numbers(self, index: int) -> None:
        raise ValueError(
            f"`{self.name}`: the input of sample {index} has NaN or infinite numbers: leave the "
            "sample out or replace them."
        )


def _loader_of(dataset: Any) -> Callable[[int], tuple[_Pair, _Pair]]:
    """Return a function from an index to two pairs ``(x, y)``.

    The first pair is loaded with training transforms, the second with evaluation transforms.
    """
    if not isinstance(dataset, AvalancheDataset):
        return lambda index: (_pair(dataset[index]),) * 2
    views = dataset.train(), dataset.eval()
    collate = dataset.collate_fn

    def load(view: Any, index: int) -> _Pair:
        sample = view[index]
        x, y = _pair(sample)
        return (x if collate is default_collate else next(iter(collate([sample])))[0]), y

    return lambda index: (load(views[0], index), load(views[1], index))


def _pair(sample: Any) -> _Pair:
    if not isinstance(sample, (tuple, list)) or len(sample) < 2:
        raise InputError(
            f"is of type {type(sample).__name__}: let the data set return (input, class label)"
        )
    return sample[0], sample[1]

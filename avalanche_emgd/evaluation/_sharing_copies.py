"""Copies of measurements that share the benchmark with the original."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

__all__ = ["copy_sharing"]

T = TypeVar("T")


def copy_sharing(original: T, shared: object, memo: dict[int, Any]) -> T:
    """Copy an object deeply, apart from one object that it refers to.

    :param original: object whose ``__getstate__`` returns its attributes.
    :param shared: object that the copy refers to, too.
    :param memo: memo of ``__deepcopy__``.
    """
    other = object.__new__(type(original))
    memo[id(original)], memo[id(shared)] = other, shared
    state: Any = original.__getstate__()  # type: ignore[attr-defined, unused-ignore]
    other.__dict__.update(copy.deepcopy(state, memo))
    return other

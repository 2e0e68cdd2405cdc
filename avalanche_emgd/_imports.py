"""Objects of the user's own, by the name of their module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["find_callable"]


def find_callable(name: str, argument: str) -> Callable[..., Any]:
    """Import what ``module:callable`` names.

    :param name: with a colon; the module must be installed, or in a folder of ``PYTHONPATH``.
    :param argument: of which the name is the value, for messages.
    :raises ValueError: if it cannot be imported or called.
    """
    module_name, _, attribute = name.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"`{argument}` {name!r} cannot be imported: {error}. Its module must be installed, or "
            "in a folder of PYTHONPATH."
        ) from error
    if not callable(found):
        raise ValueError(f"`{argument}` {name!r} is not callable: {found!r}.")
    return found

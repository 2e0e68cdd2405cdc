"""Import of user-defined objects by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ._near import did_you_mean
from ._text_files import first_line

__all__ = ["find_callable"]


def find_callable(name: str, argument: str) -> Callable[..., Any]:
    """Import a callable by its name.

    :param name: name of the form ``module:callable``. The module is installed, or lies in a folder
        of ``PYTHONPATH``.
    :param argument: name of the argument that holds ``name``, for error messages.
    :raises ValueError: if the object cannot be imported or is not callable.
    """
    module_name, _, attribute = name.partition(":")
    found: Any = None
    try:
        found = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        known = [each for each in dir(found) if not each.startswith("_")]
        raise ValueError(
            f"`{argument}` {name!r} cannot be imported: {error}."
            f"{did_you_mean(attribute.rpartition('.')[2], known)}"
        ) from error
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"`{argument}` {name!r} cannot be imported: {error}. Its module must be installed, or "
            "in a folder of PYTHONPATH."
        ) from error
    except (Exception, SystemExit) as error:  # of the code of the module itself
        raise ValueError(
            f"`{argument}` {name!r} cannot be imported: its module raises {type(error).__name__}: "
            f"{first_line(error)}"
        ) from error
    if not callable(found):
        raise ValueError(f"`{argument}` {name!r} is not callable: {found!r}.")
    return found

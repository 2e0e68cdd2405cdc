"""Import of user-defined objects by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
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
    found: Any = _import(module_name, f"`{argument}` {name!r} cannot be imported")
    for part in attribute.split("."):
        if not hasattr(found, part):
            what = f"module {module_name!r}" if isinstance(found, ModuleType) else repr(found)
            known = [each for each in dir(found) if not each.startswith("_")]
            raise ValueError(
                f"`{argument}` {name!r} cannot be imported: {what} has no attribute {part!r}."
                f"{did_you_mean(part, known)}"
            )
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"`{argument}` {name!r} is not callable: {found!r}.")
    return found


def _import(name: str, trouble: str) -> ModuleType:
    """Import a module.

    :param name: name of the module.
    :param trouble: beginning of error messages.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"{trouble}: {error}. Its module must be installed, or in a folder of PYTHONPATH."
        ) from error
    except (Exception, SystemExit) as error:  # of the code of the module itself
        if not name:
            raise ValueError(f"{trouble}: it has no module before the colon.") from error
        raise ValueError(
            f"{trouble}: its module raises {type(error).__name__}: {first_line(error)}"
        ) from error

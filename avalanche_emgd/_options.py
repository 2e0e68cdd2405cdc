"""Keyword options that several functions share, declared with defaults in a ``TypedDict``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, get_type_hints

from ._near import did_you_mean

__all__ = ["Default", "with_defaults"]

T = TypeVar("T", bound=Mapping[str, Any])


@dataclass(frozen=True)
class Default:
    """Metadata of an option: its default value.

    A ``TypedDict`` with ``seed: Annotated[int, Default(0)]`` declares the option ``seed``.

    :param value: default value.
    """

    value: Any


def with_defaults(kind: type[T], options: T, function: str, **own: Any) -> T:
    """Add the defaults of omitted options.

    :param kind: ``TypedDict`` that declares the options.
    :param options: given options.
    :param function: name of the function, for the message.
    :param own: defaults of the function in place of the declared ones.
    :return: all options.
    :raises TypeError: if the name of an option is unknown.
    """
    defaults = _defaults(kind)
    for name in options:
        if name not in defaults:
            raise TypeError(
                f"{function}() got an unexpected keyword argument {name!r}."
                f"{did_you_mean(name, defaults)}"
            )
    complete: Any = {**defaults, **own, **options}
    return complete


@cache
def _defaults(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0].value for name, hint in hints.items()}

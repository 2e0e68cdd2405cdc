"""The kind and the format of saved content, which are checked before anything else is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._text_files import excerpt
from .errors import StateError

__all__ = ["check_format", "check_header", "make_header"]


def make_header(thing: str, number: int) -> dict[str, Any]:
    """Return the entries that say what a file has.

    :param thing: word for the content, such as ``checkpoint``.
    :param number: version of its layout.
    """
    return {"kind": f"avalanche-emgd {thing}", "format": number}


def check_header(found: Mapping[str, Any], thing: str, number: int, what: str) -> None:
    """Check that a file has the entries of :func:`make_header`.

    :param found: content of the file.
    :param thing: word for the content, see :func:`make_header`.
    :param number: version of the layout, see :func:`make_header`.
    :param what: words for the file, for messages.
    :raises StateError: if the file is of another kind or format.
    """
    kind = found.get("kind")
    if not isinstance(kind, str) or kind != make_header(thing, number)["kind"]:
        raise StateError(f"{what} is no {thing} of avalanche-emgd.")
    check_format(found, number, what)


def check_format(found: Mapping[str, Any], number: int, what: str) -> None:
    """Check that content has the layout that this release reads.

    :param found: content with the entry ``format``.
    :param number: version of the layout.
    :param what: words for the content, for messages.
    :raises StateError: if the content has another format.
    """
    found_number = found.get("format")
    if type(found_number) is not int or found_number != number:
        raise StateError(
            f"{what} has the format {excerpt(found_number)}, and this release reads {number}: use "
            "the release that wrote it."
        )

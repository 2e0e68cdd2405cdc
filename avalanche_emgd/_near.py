"""Near matches for mistyped words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Question to put after an error: the known word nearest to a mistyped one.

    :param word: as it was typed; anything but text is near nothing.
    :param known: words to choose from.
    :return: `` Did you mean 'word'?``, or nothing if none is near.
    """
    found = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f" Did you mean {found[0]!r}?" if found else ""

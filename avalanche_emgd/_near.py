"""Suggestions for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean"]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Suggest the known word that is most similar to a misspelt one.

    :param word: the misspelt word; a value that is not text has no similar words.
    :param known: valid words.
    :return: `` Did you mean 'word'?``, to append to an error message; empty if no word is similar.
    """
    found = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f" Did you mean {found[0]!r}?" if found else ""

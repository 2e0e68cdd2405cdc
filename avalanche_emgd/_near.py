"""Suggestions for misspelt words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

__all__ = ["did_you_mean", "known_words"]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Suggest the known word that is most similar to a misspelt one.

    :param word: the misspelt word; a value that is not text has no similar words.
    :param known: valid words.
    :return: `` Did you mean 'word'?``, to append to an error message; empty if no word is similar.
    """
    found = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f" Did you mean {found[0]!r}?" if found else ""


def known_words(word: object, known: Sequence[str]) -> str:
    """Suggest the most similar known word, and list all.

    :param word: misspelt word, see :func:`did_you_mean`.
    :param known: valid words, at least one.
    :return: `` Did you mean 'b'? Known are a, b, c``, to append to an error message.
    """
    return f"{did_you_mean(word, known)} Known are {', '.join(known)}"

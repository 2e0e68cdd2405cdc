"""Values of settings, read from the texts of options on the command line."""

from __future__ import annotations

import csv

__all__ = ["column_names", "image_size", "names", "whole_numbers"]


def names(text: str, setting: str) -> list[str]:
    """Read names that are separated by commas."""
    return [entry.strip() for entry in text.split(",")]


def whole_numbers(text: str, setting: str) -> list[int]:
    """Read whole numbers that are separated by commas.

    :param text: text of the option.
    :param setting: name of the setting, for the message.
    :raises ValueError: if the text is not of this form.
    """
    try:
        return [int(entry) for entry in text.split(",")]
    except ValueError:
        raise ValueError(
            f"`{setting}` must be whole numbers separated by commas, found {text!r}."
        ) from None


def column_names(text: str, setting: str) -> list[str]:
    """Read names that are separated by commas; double quotes enclose a name with a comma in it."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def image_size(text: str, setting: str) -> tuple[int, ...]:
    """Read a height and a width, or one number for both.

    :param text: text of the option.
    :param setting: name of the setting, for the message.
    :raises ValueError: if the text is not of this form.
    """
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isdecimal() for number in numbers):
        raise ValueError(
            f"`{setting}` must be pixels, as 32, or height x width, as 32x48, found {text!r}."
        )
    return tuple(int(number) for number in (numbers * 2)[:2])

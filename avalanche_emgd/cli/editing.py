"""The option that edits the memory."""

from __future__ import annotations

from typing import Any

__all__ = ["editing_settings"]


def editing_settings(text: str) -> dict[str, Any]:
    """Read ``RULE,NAME=VALUE,...``.

    :param text: name of a rule, and settings of
        :class:`~avalanche_emgd.training.editing.MemoryEditing` with values as in YAML.
    :raises ValueError: if the text is not of this form.
    """
    from ..experiments.yaml_files import parse_yaml

    rule, *settings = (piece.strip() for piece in text.split(","))
    found: dict[str, Any] = {"rule": rule}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or name in found:
            raise ValueError(
                f"`edit` must be RULE or RULE,NAME=VALUE,... with each name once, found {text!r}."
            )
        try:
            found[name] = parse_yaml(value)
        except ValueError:
            raise ValueError(f"`edit` has a value that cannot be read: {setting!r}.") from None
    return found

"""Declarations of settings, which validation, command line and reference read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from textwrap import fill
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

__all__ = ["Declaration", "Setting", "declared", "documented"]

T = TypeVar("T", bound=type)
_INDENT = "    "
_KINDS = (str, bool, int, float)


@dataclass(frozen=True)
class Setting:
    """Metadata of a setting, beside the name, type and default of its field.

    A field ``epochs: Annotated[int, Setting("Passes over the samples.", low=1)] = 1`` of a
    configuration declares the setting, its range, its help text and the option ``--epochs``.

    :param help: sentences for the command line and the reference; the first begins with a noun
        phrase.
    :param default: words for the default, where the field has ``None`` in its place.
    :param option: name of the option, without dashes; the field's if ``None``.
    :param metavar: word for the value in the help of the command line; typer's if ``None``.
    :param read: function from the text of the option and the name of the setting to the value;
        typer's conversion if ``None``.
    :param on_command_line: whether the command line has an option for the setting.
    :param low: least value; 0 for whole numbers if ``None``.
    :param high: greatest value; 2**31 − 1 for whole numbers if ``None``.
    :param above: bound below all values.
    :param below: bound above all values.
    :param words: words for the values in messages; those for its kind and range if empty.
    :param check: function from a value of the right kind to the value to keep, which raises
        ``ValueError``.
    :param streams: whether time line and label sets depend on the setting.
    :param place: whether the setting is about the place of data, which does not change a run.
    :param own_data: kinds of user-defined data that the setting is for; any data if empty.
    :param follows: names of settings whose change resets this one to its default, where a file has
        the configuration.
    """

    help: str
    default: str = ""
    option: str | None = None
    metavar: str | None = None
    read: Callable[[str, str], Any] | None = None
    on_command_line: bool = True
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    words: str = ""
    check: Callable[[Any], Any] | None = None
    streams: bool = False
    place: bool = False
    own_data: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declaration:
    """A setting as its configuration declares it.

    :param name: name of the field.
    :param annotation: type of the field.
    :param default: default of the field; ``MISSING`` for a required setting and for a default from
        a factory.
    :param setting: metadata of the field.
    :param kind: ``str``, ``bool``, ``int``, ``float`` or ``list`` (of texts); ``None`` for others.
    :param choices: texts to choose from; any text if empty.
    :param optional: whether ``None`` is a value.
    """

    name: str
    annotation: Any
    default: Any
    setting: Setting
    kind: type | None
    choices: tuple[str, ...]
    optional: bool

    @property
    def option(self) -> str:
        """Name of the option, with underscores and without dashes in front."""
        return self.setting.option or self.name

    @property
    def help(self) -> str:
        """Sentences for users, the last with the default."""
        words = self.setting.default
        if not words and self.kind is not bool and isinstance(self.default, (str, int, float)):
            words = f"{self.default:g}" if self.kind is float else str(self.default)
        return f"{self.setting.help} Default: {words}." if words else self.setting.help


def declared(config: type) -> Mapping[str, Declaration]:
    """List the settings that a configuration declares: its own first, then those of its bases.

    :param config: dataclass.
    :return: declarations by name.
    """
    return _declared(config)


@cache
def _declared(config: type) -> Mapping[str, Declaration]:
    hints = get_type_hints(config, include_extras=True)
    # `fields` has those of bases first, but the configuration's own settings are the main ones.
    bases = [base for base in config.__mro__[1:] if is_dataclass(base)]
    inherited = {each.name for base in bases for each in fields(base)}
    found = {}
    for each in sorted(fields(config), key=lambda each: each.name in inherited):
        hint = hints[each.name]
        settings = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, Setting)]
        if get_origin(hint) is Annotated and settings:
            default = each.default
            found[each.name] = _declaration(each.name, get_args(hint)[0], default, settings[0])
    return found


def _declaration(name: str, annotation: Any, default: Any, setting: Setting) -> Declaration:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    optional = NoneType in kinds
    kind, *others = [each for each in kinds if each is not NoneType]
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    if choices:
        kind = str
    elif get_args(kind) == (str,) and not others:
        kind = list
    elif kind not in _KINDS or others:
        kind = None
    return Declaration(name, annotation, default, setting, kind, choices, optional)


def documented(config: T) -> T:
    """Give a configuration a ``:param`` and a plain annotation for each setting that it declares.

    :param config: dataclass; its docstring and the signature of its constructor are changed.
    """
    head, raises, tail = (config.__doc__ or "").partition(":raises")
    paragraphs = []
    for each in declared(config).values():
        words = re.sub(r"`([^`]+)`", r"``\1``", each.help)
        if words[1:2].islower():
            words = words[0].lower() + words[1:]
        text = f":param {each.name}: {words}"
        paragraphs.append(fill(text, 100, initial_indent=_INDENT, subsequent_indent=_INDENT * 2))
    params = "\n".join(paragraphs)
    config.__doc__ = f"{head.rstrip()}\n\n{params}\n{_INDENT}{raises}{tail}"
    plain = inspect.signature(config)
    parameters = [
        parameter.replace(annotation=declared(config)[name].annotation)
        if name in declared(config)
        else parameter
        for name, parameter in plain.parameters.items()
    ]
    signature = plain.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    config.__signature__ = signature  # type: ignore[attr-defined]
    return config

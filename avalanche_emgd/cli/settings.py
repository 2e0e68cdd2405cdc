"""Options of commands, made from the declarations of settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

import typer

from ..experiments.setting import Declaration, declared
from .options import typed
from .own_data import PLACES, data_options

__all__ = ["with_settings"]

Command = Callable[..., None]


def with_settings(
    config: type, *, only: Callable[[Declaration], bool] = lambda each: True
) -> Callable[[Command], Command]:
    """Give a command an option for each setting of a configuration.

    The options stand in the place of the command's parameter ``settings``. This parameter receives
    a mapping from names to values, of those settings only whose options are typed.

    :param config: dataclass whose fields are declared with
        :class:`~avalanche_emgd.experiments.setting.Setting`.
    :param only: function that chooses among the settings; all if omitted.
    """
    chosen = [
        each for each in declared(config).values() if each.setting.on_command_line and only(each)
    ]
    has_places = any(each.name == "benchmark" for each in chosen)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def wrapped(**options: Any) -> None:
            beside_file = options.get("config") is not None
            given: dict[str, Any] = {}
            for each in chosen:
                value, read = options.pop(each.option), each.setting.read
                given[each.name] = (
                    value if value is None or read is None else read(value, each.name)
                )
            if has_places:
                places = {name: options.pop(name) for name in PLACES}
                said = (given.pop("benchmark"), given.pop("data_root"))
                given.update(data_options(*said, **places, beside_file=beside_file))
            command(settings=typed(**given), **options)

        parameters: list[Parameter] = []
        for parameter in signature(command, eval_str=True).parameters.values():
            if parameter.name != "settings":
                parameters.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
                continue
            for each in chosen:
                parameters.append(_parameter(each))
                if each.name == "benchmark":
                    parameters += [_optional(name, hint) for name, hint in PLACES.items()]
        wrapped.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _parameter(each: Declaration) -> Parameter:
    if each.kind is bool:
        flag = typer.Option(f"--{each.option.replace('_', '-')}", help=each.help)
        return _optional(each.option, Annotated[bool, flag], False)
    kind = str if each.setting.read is not None else each.annotation
    option = typer.Option(metavar=each.setting.metavar, help=each.help)
    return _optional(each.option, Annotated[kind | None, option])


def _optional(name: str, hint: Any, default: Any = None) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)

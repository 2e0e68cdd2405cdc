import inspect
from dataclasses import fields
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from avalanche_emgd.cli import app
from avalanche_emgd.cli.settings import with_settings
from avalanche_emgd.experiments import RunConfig, StudyConfig
from avalanche_emgd.experiments.setting import declared
from tests.experiments.toy_settings import Toy


@pytest.mark.parametrize(
    ("command", "config"),
    [("train", RunConfig), ("compare", StudyConfig)],
    ids=["train", "compare"],
)
def test_every_setting_is_in_the_help_and_the_reference(command, config):
    text = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    settings = declared(config)
    assert set(settings) == {each.name for each in fields(config)}
    for name, each in settings.items():
        option = f"--{each.option.replace('_', '-')} "
        assert (option in text) == each.setting.on_command_line, name
        assert f"    :param {name}: " in config.__doc__
    assert ":raises ValueError:" in config.__doc__
    assert "Setting(" not in str(inspect.signature(config))


def called(*words, **choice):
    """Settings that a command with the options of ``Toy`` receives."""
    given, toy = [], typer.Typer()

    @toy.command()
    @with_settings(Toy, **choice)
    def command(settings: dict[str, Any], last: str = "end") -> None:
        given.append((settings, last))

    result = CliRunner().invoke(toy, list(words))
    return given[0] if given else result


def test_a_command_receives_the_settings_whose_options_are_typed():
    assert called() == ({}, "end")
    words = ("--half-open", "0", "--choice", "left", "--flag", "--whole", "3", "--last", "x")
    assert called(*words) == ({"half_open": 0.0, "choice": "left", "flag": True, "whole": 3}, "x")


def test_texts_of_options_are_read():
    assert called("--size", "6x8") == ({"size": (6, 8)}, "end")
    assert called("--npz", "a.npz") == ({"benchmark": "npz", "data_root": "a.npz"}, "end")


def test_a_command_has_the_chosen_options_alone():
    def only(each):
        return each.name == "whole"

    assert called("--whole", "3", only=only) == ({"whole": 3}, "end")
    for words in (("--flag",), ("--npz", "a.npz")):
        assert "No such option" in called(*words, only=only).output

"""Settings are declared once: validation, command line, studies and reference follow."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import pytest
from typer.testing import CliRunner

import avalanche_emgd
from avalanche_emgd.cli import app
from avalanche_emgd.experiments import RunConfig, StudyConfig
from avalanche_emgd.experiments.run_settings import SharedSettings
from avalanche_emgd.experiments.setting import Setting, declared, documented

TOY = """
    temperature: Annotated[
        float | None,
        Setting(
            "Temperature of the softmax, positive.", default="the model's", above=0, metavar="T"
        ),
    ] = None
"""

USES = r"""
import json
from pathlib import Path
from typer.testing import CliRunner
from avalanche_emgd.cli import app
from avalanche_emgd.experiments import RunConfig, StudyConfig
from avalanche_emgd.experiments.run_file import load_config

# configuration and validation
assert RunConfig().temperature is None
assert RunConfig(temperature=2).temperature == 2.0
for value, words in ((0, "positive, found 0.0"), ("a", "a number, found 'a'")):
    try:
        RunConfig(temperature=value)
    except ValueError as error:
        assert f"`temperature` must be {words}" in str(error), error
    else:
        raise AssertionError(value)

# command line
for command in ("train", "compare"):
    text = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    assert "--temperature T Temperature of the softmax, positive. Default: the model's." in text
result = CliRunner().invoke(app, ["train", "--output", "run", "--temperature", "-1"])
assert result.exit_code == 2
assert result.output == "Error: `--temperature` must be positive, found -1.0.\n"
result = CliRunner().invoke(app, ["timeline", "--output", "t.png", "--temperature", "1"])
assert "No such option: --temperature" in result.output

# studies and sweeps
Path("study.yaml").write_text("methods: [avg]\ntemperature: 3\n")
study = StudyConfig.from_yaml("study.yaml")
assert [run.temperature for run in study.runs()] == [3.0]
study.to_yaml("again.yaml")
assert StudyConfig.from_yaml("again.yaml") == study

# files of runs, those of earlier versions included
Path("config.json").write_text(json.dumps(RunConfig(temperature=3).to_json()))
assert load_config("config.json").temperature == 3.0
assert load_config("config.json", temperature=4.0).temperature == 4.0
Path("config.json").write_text('{"method": "avg"}')
assert load_config("config.json").temperature is None

# keys of records: the default keeps those of earlier versions
from avalanche_emgd.experiments.records import record_key
assert record_key(RunConfig()) == KEY
assert record_key(RunConfig(temperature=3)) != KEY

# reference
for config in (RunConfig, StudyConfig):
    assert ":param temperature: temperature of the softmax, positive." in config.__doc__
"""


def test_adding_a_setting_touches_one_file(tmp_path):
    copy = tmp_path / "avalanche_emgd"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(avalanche_emgd.__file__).parent, copy, ignore=ignored)
    file = copy / "experiments" / "run_settings.py"
    before, device, after = file.read_text().partition("    device: Annotated[")
    assert device
    file.write_text(before + TOY.lstrip("\n") + device + after)
    key = "emgd-gmc-class-seed0-2935692717"  # as in `test_keys_of_earlier_records_hold`
    done = subprocess.run(
        [sys.executable, "-c", USES.replace("KEY", repr(key))],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


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


def test_help_texts_are_sentences():
    for config in (RunConfig, StudyConfig):
        for each in declared(config).values():
            assert re.fullmatch(r"[A-Z].*(\.|\.\.\.)", each.help), each.help
            sentences = re.split(r"(?<=[a-z0-9])\. ", each.help)
            assert max(len(sentence.split()) for sentence in sentences) <= 25, each.help


def test_runs_and_studies_share_settings():
    shared = set(declared(SharedSettings))
    assert shared < set(declared(RunConfig))
    assert shared < set(declared(StudyConfig))
    changes = {"epochs": 2, "batch_size": 8, "weight_decay": 1, "threads": 2, "device": "meta"}
    (run,) = StudyConfig(["avg"], **changes).runs()
    assert {name: getattr(run, name) for name in changes} == changes


@documented
@dataclass(frozen=True, kw_only=True)
class Toy(SharedSettings):
    """A toy.

    :raises ValueError: if a value is wrong.
    """

    whole: Annotated[int, Setting("Whole number.", low=2, high=5)] = 3
    above: Annotated[float, Setting("Number.", above=1)] = 2.0
    below: Annotated[float, Setting("Number.", below=1)] = 0.0
    most: Annotated[float, Setting("Number.", high=1)] = 0.0
    half_open: Annotated[float, Setting("Number.", low=0, below=1)] = 0.0
    any_number: Annotated[float, Setting("Number.")] = 0.0
    choice: Annotated[Literal["left", "right"] | None, Setting("Side.", default="none")] = None
    even: Annotated[int, Setting("Even number.", check=lambda n: n // 2 * 2)] = 0
    flag: Annotated[bool, Setting("Flag.")] = False
    plain: Annotated[int, "no setting"] = 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("whole", 1, "at least 2, found 1."),
        ("whole", 6, "at most 5, found 6."),
        ("whole", 2.0, "a whole number, found 2.0."),
        ("whole", None, "a whole number, found None."),
        ("above", 1, "greater than 1 and finite, found 1.0."),
        ("above", float("inf"), "greater than 1 and finite, found inf."),
        ("below", 1.0, "less than 1 and finite, found 1.0."),
        ("most", 1.5, "at most 1 and finite, found 1.5."),
        ("half_open", 1.0, "in [0, 1), found 1.0."),
        ("half_open", float("nan"), "in [0, 1), found nan."),
        ("any_number", 10**400, "finite, found inf."),
        ("any_number", True, "a number, found True."),
        ("choice", "lefd", "one of left, right, found 'lefd'. Did you mean 'left'?"),
        ("choice", 1, "text, found 1."),
        ("flag", 1, "true or false, found 1."),
    ],
)
def test_values_out_of_range(name, value, words):
    with pytest.raises(ValueError, match=re.escape(f"`{name}` must be {words}")):
        Toy(**{name: value})


def test_values_in_range_are_of_the_declared_kind():
    toy = Toy(whole=5, above=3, half_open=0, choice="right", even=5, plain="as it is")
    assert (toy.whole, toy.above, toy.choice, toy.even, toy.plain) == (
        5,
        3.0,
        "right",
        4,
        "as it is",
    )
    assert type(toy.above) is type(toy.half_open) is float
    assert "plain" not in declared(Toy)
    assert next(iter(declared(Toy))) == "whole"
    assert ":param choice: side. Default: none.\n" in Toy.__doc__
    assert Toy.__doc__.index(":param whole:") < Toy.__doc__.index(":param benchmark:")

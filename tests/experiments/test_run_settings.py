"""Settings are declared once: validation, command line, studies and reference follow."""

import os
import shutil
import sys
import traceback
from pathlib import Path

import avalanche_emgd
from avalanche_emgd.experiments import RunConfig, StudyConfig
from avalanche_emgd.experiments.run_settings import SharedSettings
from avalanche_emgd.experiments.setting import declared

PACKAGE = "avalanche_emgd"
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


def error_in_a_fork(code, folder):
    """Run code in a copy of this process that finds the package in a folder, which it goes to.

    :return: traceback of the error; nothing without one.
    """
    errors = folder / "errors"
    child = os.fork()
    if not child:
        try:
            os.chdir(folder)
            sys.path.insert(0, str(folder))
            for name in [each for each in sys.modules if each.partition(".")[0] == PACKAGE]:
                del sys.modules[name]
            exec(code, {})
            assert Path(sys.modules[PACKAGE].__file__).is_relative_to(folder)
            errors.write_text("")
        except BaseException:
            errors.write_text(traceback.format_exc())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return errors.read_text()


def test_adding_a_setting_touches_one_file(tmp_path):
    copy = tmp_path / PACKAGE
    shutil.copytree(Path(avalanche_emgd.__file__).parent, copy)
    file = copy / "experiments" / "run_settings.py"
    before, device, after = file.read_text().partition("    device: Annotated[")
    assert device
    file.write_text(before + TOY.lstrip("\n") + device + after)
    key = "emgd-gmc-class-seed0-2935692717"  # as in `test_keys_of_earlier_records_hold`
    error = error_in_a_fork(USES.replace("KEY", repr(key)), tmp_path)
    assert not error, error


def test_runs_and_studies_share_settings():
    shared = set(declared(SharedSettings))
    assert shared < set(declared(RunConfig))
    assert shared < set(declared(StudyConfig))
    changes = {"epochs": 2, "batch_size": 8, "weight_decay": 1, "threads": 2, "device": "meta"}
    (run,) = StudyConfig(["avg"], **changes).runs()
    assert {name: getattr(run, name) for name in changes} == changes

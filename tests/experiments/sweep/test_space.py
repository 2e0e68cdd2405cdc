"""What a search may vary, and how it is read."""

import pytest

from avalanche_emgd.experiments.sweep import SweepConfig
from avalanche_emgd.experiments.sweep.space import Choices, Range, parse_space

SEARCH = {
    "decay": {"low": 0, "high": 0.9},
    "exponent": {"low": 0.5, "high": 2.0},
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "optimizer": {"choices": ["adam", "sgd"]},
    "memory_editing": {"choices": [None, "distance", {"rule": "gmed", "step": 0.1}]},
}


def test_ranges_and_choices():
    space = parse_space({**SEARCH, "steps": {"low": 1, "high": 9, "int": True}})
    assert space["decay"] == Range(0.0, 0.9)
    assert space["learning_rate"] == Range(0.001, 0.1, log=True)
    assert space["steps"] == Range(1, 9, whole=True)
    assert space["optimizer"] == Choices(("adam", "sgd"))
    assert {name: parse_space({name: each.to_plain()})[name] for name, each in space.items()} == (
        space
    )
    assert [type(end) for end in space["decay"].ends] == [float, float]
    assert space["steps"].ends == (1, 9)
    assert Range(2.0, 2.0).ends == (2.0,)


def test_what_optuna_draws_becomes_the_value():
    pytest.importorskip("optuna")
    each = parse_space(SEARCH)["memory_editing"]
    assert [each.value(drawn) for drawn in each.distribution().choices] == list(each.values)
    whole = parse_space({"steps": {"low": 1, "high": 9, "int": True, "log": True}})["steps"]
    distribution = whole.distribution()
    assert (distribution.low, distribution.high, distribution.log) == (1, 9, True)
    assert isinstance(distribution.low, int)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (3, "`search` of 'x' must be a range"),
        ([1, 2], "`search` of 'x' must be a range"),
        ({}, "has no `low`"),
        ({"low": 1.0}, "has no `high`"),
        ({"low": 0.1, "high": 1.0, "hi": 2}, "unknown key 'hi'.* Did you mean 'high'"),
        ({"low": 2.0, "high": 1.0}, "`low` of 2.0, above its `high` of 1.0"),
        ({"low": 0.0, "high": 1.0, "log": True}, "`low` must be positive, found 0.0"),
        ({"low": 0, "high": 1}, "say int: true for whole numbers, or write 0.0 and 1.0"),
        ({"low": 0.5, "high": 2, "int": True}, "must have a whole number as `low`, found 0.5"),
        ({"low": "3e-3", "high": 1.0}, "must have a number as `low`, found '3e-3' .YAML takes"),
        ({"low": True, "high": 2.0}, "must have a number as `low`, found True"),
        ({"low": float("nan"), "high": 2.0}, "must have a number as `low`, found nan"),
        ({"low": 0.1, "high": float("inf")}, "must have a number as `high`, found inf"),
        ({"low": 1, "high": 10**30, "int": True}, "a `high` that is too large"),
        ({"low": 0.1, "high": 1.0, "log": "yes"}, "must have true or false as `log`"),
        ({"low": 1, "high": 2, "int": 1}, "must have true or false as `int`"),
        ({"choices": "adam"}, "must have a list of 1 to 1000 `choices`, found 'adam'"),
        ({"choices": []}, "must have a list of 1 to 1000 `choices`"),
        ({"choices": [1, 2, 1]}, "has the choice 1 twice"),
        ({"choices": [1, True]}, "has the choice True twice"),
        ({"choices": [{"a": 1, "b": 2}, {"b": 2, "a": 1}]}, "twice"),
        ({"choices": [float("nan")]}, "must have `choices` that are numbers"),
        ({"choices": [object()]}, "must have `choices` that are numbers"),
        ({"choices": [1], "low": 0.1}, "has `choices` and 'low': give one of the two"),
    ],
)
def test_wrong_entries(entry, message):
    with pytest.raises(ValueError, match=message):
        parse_space({"x": entry})


@pytest.mark.parametrize("search", [None, [], {}, "decay", {3: {"low": 0.1, "high": 1.0}}])
def test_wrong_searches(search):
    with pytest.raises(ValueError, match="`search` must"):
        parse_space(search)


def test_names_of_a_run_and_of_the_method():
    sweep = SweepConfig("emgd-gmc", SEARCH, settings={"lower_bound": 0.2}, study={"threads": 2})
    values = {"decay": 0.5, "learning_rate": 0.01, "optimizer": "sgd", "memory_editing": None}
    study = sweep.study_of(values, "found")
    assert (study.learning_rate, study.optimizer, study.threads) == (0.01, "sgd", 2)
    assert study.seeds == (0, 1, 2)
    (choice,) = study.methods
    assert choice.label == "found"
    assert choice.settings == {"lower_bound": 0.2, "decay": 0.5, "memory_editing": None}


def test_a_file_and_back(tmp_path):
    sweep = SweepConfig(
        "emgd-gmc", SEARCH, metric="A_e", trials=3, study={"seeds": [4], "epochs": 2}
    )
    sweep.to_yaml(tmp_path / "sweep.yaml")
    again = SweepConfig.from_yaml(tmp_path / "sweep.yaml")
    assert again.to_plain() == sweep.to_plain()
    again.check_same(sweep)
    more = SweepConfig.from_yaml(tmp_path / "sweep.yaml", trials=5, data_root=None)
    more.check_same(sweep)
    other = SweepConfig.from_yaml(tmp_path / "sweep.yaml", epochs=3)
    with pytest.raises(ValueError, match="`epochs` is 3, but 2 in the sweep in `output`"):
        other.check_same(sweep)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "emgd-gmd"}, "`method` must be one of .* Did you mean 'emgd-gmc'"),
        ({"metric": "A_bar"}, "`metric` must be one of A_ebar, A_e, F_ebar, found 'A_bar'"),
        ({"trials": 0}, "`trials` must be a whole number in 1..100000, found 0"),
        ({"trials": True}, "`trials` must be a whole number"),
        ({"sampler_seed": -1}, "`sampler_seed` must be a whole number"),
        ({"settings": [1]}, "`settings` must map names to values"),
        ({"settings": {"decay": 0.5}}, "'decay', which is also in settings"),
        ({"learning_rate": 0.1}, "'learning_rate', which is also in the file"),
        ({"seeds": []}, "`seeds` must have at least one entry"),
        ({"search": {"epochs": {"low": 1, "high": 3, "int": True}}}, "cannot vary 'epochs'"),
        ({"search": {"seeds": {"choices": [1, 2]}}}, "cannot vary 'seeds'"),
        ({"sead": 3}, "unknown key 'sead'.* Did you mean 'seeds'"),
        ({"methods": ["avg"]}, "unknown key 'methods'"),
        ({"search": {"learning_rate": {"low": 0.0, "high": 1.0}}}, "`learning_rate` must be posi"),
    ],
)
def test_wrong_files(tmp_path, changes, message):
    import yaml

    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({"method": "emgd-gmc", "search": SEARCH, **changes}))
    with pytest.raises(ValueError, match=message) as caught:
        SweepConfig.from_yaml(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "3", "method: avg", "search: {}", "{", "[method, search]"])
def test_no_sweep_at_all(tmp_path, text):
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="`config`"):
        SweepConfig.from_yaml(path)

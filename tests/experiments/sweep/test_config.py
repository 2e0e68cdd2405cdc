"""The file of a search."""

import pytest

from avalanche_emgd.experiments.sweep import SweepConfig
from tests.experiments.sweep.searches import EVERY_KIND


def test_names_of_a_run_and_of_the_method():
    sweep = SweepConfig("emgd-gmc", EVERY_KIND, settings={"lower_bound": 0.2}, study={"threads": 2})
    values = {"decay": 0.5, "learning_rate": 0.01, "optimizer": "sgd", "memory_editing": None}
    study = sweep.study_of(values, "found")
    assert (study.learning_rate, study.optimizer, study.threads) == (0.01, "sgd", 2)
    assert study.seeds == (0, 1, 2)
    (choice,) = study.methods
    assert choice.label == "found"
    assert choice.settings == {"lower_bound": 0.2, "decay": 0.5, "memory_editing": None}


def test_ingredients_are_searched_by_plain_values():
    choices = ["none", "crops-flips", {"padding": 2, "flip": False}]
    sweep = SweepConfig("er", {"memory_augmentation": {"choices": choices}})
    for value in choices:
        (choice,) = sweep.study_of({"memory_augmentation": value}, "found").methods
        assert choice.settings == {"memory_augmentation": value}


def test_a_file_and_back(tmp_path):
    sweep = SweepConfig(
        "emgd-gmc", EVERY_KIND, metric="A_e", trials=3, study={"seeds": [4], "epochs": 2}
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
        ({"method": "emgd-gmd"}, "`method` 'emgd-gmd' is unknown. Did you mean 'emgd-gmc'"),
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
        ({"sead": 3}, "unknown key 'sead'. Did you mean 'seeds'"),
        ({"methods": ["avg"]}, "unknown key 'methods'"),
        ({"search": {"learning_rate": {"low": 0.0, "high": 1.0}}}, "`learning_rate` must be posi"),
    ],
)
def test_wrong_files(tmp_path, changes, message):
    import yaml

    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump({"method": "emgd-gmc", "search": EVERY_KIND, **changes}))
    with pytest.raises(ValueError, match=message) as caught:
        SweepConfig.from_yaml(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "3", "method: avg", "search: {}", "{", "[method, search]"])
def test_no_sweep_at_all(tmp_path, text):
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="`config`"):
        SweepConfig.from_yaml(path)

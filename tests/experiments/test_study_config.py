import re

import numpy as np
import pytest

from avalanche_emgd.experiments.method_choice import MethodChoice
from avalanche_emgd.experiments.study_config import StudyConfig

MAPPING = {"method": "emgd-gmc", "name": "gmc-p1", "settings": {"exponent": 1.0}}


def test_runs_are_all_combinations():
    study = StudyConfig(
        methods=["avg", MAPPING],
        scenarios=["task", "class"],
        seeds=range(3),
        overlap=0.5,
        batch_size=8,
    )
    runs = study.runs()
    assert len(runs) == 12
    assert {(r.label, r.scenario, r.seed) for r in runs} == {
        (label, scenario, seed)
        for label in ("avg", "gmc-p1")
        for scenario in ("task", "class")
        for seed in range(3)
    }
    assert {(r.overlap, r.batch_size, r.label_set, r.download) for r in runs} == {
        (0.5, 8, None, False)
    }
    chosen = next(r for r in runs if r.label == "gmc-p1")
    assert (chosen.method, chosen.settings) == ("emgd-gmc", {"exponent": 1.0})


def test_every_method_is_given_the_ingredients_and_its_own_settings_win():
    ingredients = {
        "memory_loss": {"rule": "stored-logits", "alpha": 0.1},
        "competition": 0.5,
        "memory_augmentation": {"padding": 2, "flip": False},
    }
    own = {"method": "er", "settings": {"competition": 0.0}}
    grid = {"method": "emgd-gmc", "grid": {"exponent": [0.5, 1.0]}}
    study = StudyConfig(["avg", own, grid], ingredients=ingredients)
    assert [run.settings for run in study.runs()] == [
        ingredients,
        {**ingredients, "competition": 0.0},
        {**ingredients, "exponent": 0.5},
        {**ingredients, "exponent": 1.0},
    ]


def test_label_sets_and_timelines_of_a_protocol():
    runs = StudyConfig(["avg"], label_sets=[0, 2], timelines=[1, 2], protocol="p.json").runs()
    assert [(r.label_set, r.timeline) for r in runs] == [(0, 1), (0, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    "study",
    [
        StudyConfig(["avg"]),
        StudyConfig(["avg", MAPPING], ingredients={"competition": 0.5, "memory_editing": None}),
        StudyConfig(
            ["avg", MAPPING, {"method": "egda", "settings": {}}],
            scenarios=["class", "task"],
            seeds=[3, 1],
            label_sets=[0],
            timelines=[2, 0],
            benchmark="ps-emnist",
            data_root="../größe",
            download=True,
            protocol="p.json",
            batch_size=16,
            learning_rate=0.01,
            memory_per_class=0,
            eval_every=7,
            device="cuda:1",
        ),
    ],
)
def test_yaml_round_trip(study, tmp_path):
    study.to_yaml(tmp_path / "study.yaml")
    assert StudyConfig.from_yaml(tmp_path / "study.yaml") == study
    assert [p.name for p in tmp_path.iterdir()] == ["study.yaml"]


def test_yaml_by_hand(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(
        "methods:\n- avg\n- {method: emgd-gmc, name: gmc-p1, settings: {exponent: 1.0}}\n"
        "seeds: [0, 1]\nlearning_rate: 1\n"
    )
    study = StudyConfig.from_yaml(path)
    assert study.methods == (MethodChoice("avg"), MethodChoice.parse(MAPPING))
    assert study.seeds == (0, 1)
    assert study.learning_rate == 1.0


def test_arguments_instead_of_what_yaml_says(tmp_path):
    path = tmp_path / "study.yaml"
    StudyConfig(["avg", MAPPING, "mgda"], seeds=[0, 1], num_tasks=2).to_yaml(path)
    label = MethodChoice.parse(MAPPING).label
    study = StudyConfig.from_yaml(path, methods=[label, "er"], seeds=[7])
    assert study == StudyConfig([MAPPING, "er"], seeds=[7], num_tasks=2)


def test_numbers_of_numpy():
    study = StudyConfig(["avg"], seeds=list(np.arange(2)), learning_rate=np.float32(0.5))
    assert study == StudyConfig(["avg"], seeds=[0, 1], learning_rate=0.5)
    assert type(study.seeds[0]) is int
    assert type(study.learning_rate) is float


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": []}, "`methods` must have at least one entry"),
        ({"methods": "avg"}, "`methods` must be a list, found 'avg'"),
        ({"methods": ["avg", "avg"]}, "`methods` has 'avg' twice; give one of them another `name`"),
        ({"methods": ["avg", {"method": "egda", "name": "avg"}]}, "`methods` has 'avg' twice"),
        ({"methods": [{"name": "avg"}]}, "`methods` must list names, or mappings with `method`"),
        ({"methods": [{"method": "avg", "lr": 1}]}, "`methods` must list names, or mappings"),
        ({"methods": [3]}, "`methods` must list names"),
        ({"methods": [{"method": 3}]}, "`method` of a method must be text, found 3"),
        ({"methods": [{"method": "avg", "name": ""}]}, "`name` of a method must be text"),
        ({"methods": [{"method": "avg", "settings": [1]}]}, "`settings` of 'avg' must map"),
        ({"methods": [{"method": "avg", "settings": {"a": {1}}}]}, "`settings` of 'avg' must be"),
        ({"ingredients": ["average"]}, "`ingredients` must map names to values"),
        ({"ingredients": {"competition": {1}}}, "`ingredients` must be numbers, text"),
        (
            {"ingredients": {"memory_los": "labels"}},
            "tested_weights, found 'memory_los'. Did you mean 'memory_loss'?",
        ),
        ({"ingredients": {"exponent": 1.0}}, "`ingredients` can have memory_objectives,"),
        ({"methods": ["sgd"]}, "`method` 'sgd' is unknown. Known are emgd-gmc"),
        ({"seeds": []}, "`seeds` must have at least one entry"),
        ({"seeds": 3}, "`seeds` must be a list, found 3"),
        ({"seeds": ["0"]}, "an entry of `seeds` must be a whole number, found '0'"),
        ({"seeds": [True]}, "an entry of `seeds` must be a whole number, found True"),
        ({"seeds": [1, 0, 1]}, "`seeds` has 1 twice"),
        ({"seeds": [-1]}, "`seed` must be at least 0, found -1"),
        ({"scenarios": ["domain"]}, "`scenario` must be one of task, class"),
        ({"label_sets": [0]}, "`label_set` chooses from a protocol"),
        ({"learning_rate": "3e-3"}, "`learning_rate` must be a number, found '3e-3' (YAML takes"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number, found 2.5"),
        ({"benchmark": None}, "`benchmark` must be text, found None"),
        ({"download": "yes"}, "`download` must be true or false"),
        ({"overlap": 0.5, "protocol": "p.json"}, "give one of the two"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        StudyConfig(**{"methods": ["avg"], **arguments})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "methods: [avg]\nseed: 3\nlr: 1\n",
            "keys: seed, lr. Did you mean 'seeds'? Known are methods,",
        ),
        ("methods: [avg\n", "is not a YAML file"),
        ("- avg\n", "must map names to values"),
        ("seeds: [0]\n", "have at least `methods`"),
        ("methods: [avg]\nseeds: 3\n", "`seeds` must be a list, found 3"),
        ("methods: [!!python/name:os.system ]\n", "is not a YAML file"),
    ],
)
def test_wrong_yaml(text, message, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        StudyConfig.from_yaml(path)
    assert "wrong.yaml" in str(caught.value)


def test_yaml_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"`config` .* cannot be read: No such file"):
        StudyConfig.from_yaml(tmp_path / "none.yaml")

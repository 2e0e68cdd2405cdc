import pytest

from avalanche_emgd.experiments.grid import expand_grid
from avalanche_emgd.experiments.study_config import StudyConfig

STUDY = """
methods:
- avg
- method: emgd-gmc
  settings: {lower_bound: 0.1}
  grid:
    exponent: [0.5, 1.0]
    decay: [0.0, 0.9]
"""


def test_a_grid_is_every_combination(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    study = StudyConfig.from_yaml(file)
    assert [choice.label for choice in study.methods] == [
        "avg",
        "emgd-gmc exponent=0.5 decay=0.0",
        "emgd-gmc exponent=0.5 decay=0.9",
        "emgd-gmc exponent=1.0 decay=0.0",
        "emgd-gmc exponent=1.0 decay=0.9",
    ]
    assert study.methods[2].settings == {"lower_bound": 0.1, "exponent": 0.5, "decay": 0.9}
    assert len(study.runs()) == 5
    study.to_yaml(tmp_path / "written.yaml")
    assert StudyConfig.from_yaml(tmp_path / "written.yaml") == study


def test_without_a_grid_nothing_changes():
    for entry in ("avg", {"method": "avg"}, 7):
        assert expand_grid(entry) == [entry]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ([1, 2], "`grid` of 'emgd-gmc' must map names of settings to lists of values"),
        ({}, "must map names of settings to lists of values, found {}"),
        ({"decay": 0.5}, "must map names of settings to lists of values"),
        ({"decay": []}, "must map names of settings to lists of values"),
        ({"lower_bound": [0.1]}, "has 'lower_bound', which its `settings` have, too"),
        ({"decay": [0.1] * 40, "exponent": [1.0] * 40}, "has 1600 combinations, more than 1000"),
        ({"decay": [0.5, 0.5]}, "`methods` has 'emgd-gmc decay=0.5' twice"),
    ],
)
def test_wrong_grids(grid, message):
    entry = {"method": "emgd-gmc", "settings": {"lower_bound": 0.2}, "grid": grid}
    with pytest.raises(ValueError, match=message):
        StudyConfig([entry])

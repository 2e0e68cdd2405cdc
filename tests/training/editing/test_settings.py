import pytest

from avalanche_emgd.training.editing.rules import Distance
from avalanche_emgd.training.editing.settings import MemoryEditing, make_memory_editing
from tests.training.common import toy_strategy


@pytest.mark.parametrize(
    ("editing", "message"),
    [
        ("closer", "`rule` must be one of distance, cosine, agreement, gmed"),
        ({"rule": "gmed", "steps": 3}, "has unknown settings: steps. Did you mean 'step'?"),
        ({"every": 0}, "`every` must be a whole number, at least 1"),
        ({"step": -1.0}, "`step` must be positive"),
        ({"rule": "distance", "settings": {"beta": 1.0}}, "`settings` of the rule 'distance' can"),
        ({"rule": "gmed", "settings": {"beta": -1.0}}, "`beta` must be at least 0"),
        (3, "`memory_editing` must be settings"),
    ],
)
def test_wrong_settings(editing, message):
    with pytest.raises(ValueError, match=message):
        toy_strategy(memory_size=4, memory_editing=editing)


def test_settings_by_name_mapping_and_object_are_the_same():
    settings = MemoryEditing("gmed", step=0.5)
    assert make_memory_editing("gmed") == MemoryEditing("gmed")
    assert make_memory_editing({"rule": "gmed", "step": 0.5}) == settings
    assert make_memory_editing(settings) is settings


def test_settings_of_a_file_are_those_of_python():
    """JSON and YAML have lists in place of tuples."""
    settings = MemoryEditing(pixel_range=[[0.0, 0.5], [1.0, 1.5]], settings={"product": "forward"})
    assert settings.pixel_range == ((0.0, 0.5), (1.0, 1.5))
    assert settings.make_rule().product == "forward"
    assert settings.make_bounds().step == settings.step


def test_a_rule_of_ones_own_has_its_own_settings():
    rule = Distance()
    assert MemoryEditing(rule).make_rule() is rule
    with pytest.raises(ValueError, match="`settings` are for a `rule` given by its name"):
        MemoryEditing(rule, settings={"product": "forward"})


@pytest.mark.parametrize("value", [True, 2.0, "2", None])
def test_numbers_of_ticks_are_whole(value):
    with pytest.raises(ValueError, match="`every` must be a whole number, at least 1, found"):
        MemoryEditing(every=value)
    with pytest.raises(ValueError, match="`only_conflicting` must be true or false, found 1"):
        MemoryEditing(only_conflicting=1)


def test_a_misspelt_setting_is_suggested():
    with pytest.raises(ValueError, match=r"unknown settings: radios\. Did you mean 'radius'"):
        make_memory_editing({"radios": 1.0})

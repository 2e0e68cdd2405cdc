import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.experiments.method_choice import MethodChoice, as_json

TEXT = st.text("abc+ é", min_size=1)
SETTINGS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | st.lists(TEXT))
CHOICES = st.builds(MethodChoice, TEXT, st.none() | TEXT, SETTINGS)


@given(CHOICES)
def test_entries_are_read_back(choice):
    entry = choice.to_plain()
    assert MethodChoice.parse(entry) == choice
    assert MethodChoice.parse(choice) is choice
    assert isinstance(entry, str) == (choice.name is None and not choice.settings)


@given(CHOICES, SETTINGS)
def test_own_settings_win_over_ingredients(choice, ingredients):
    joined = choice.with_ingredients(ingredients)
    assert joined.label == choice.label
    assert choice.settings.items() <= joined.settings.items()
    assert joined.settings.keys() == choice.settings.keys() | ingredients.keys()
    others = joined.settings.keys() - choice.settings.keys()
    assert all(joined.settings[name] == ingredients[name] for name in others)


def test_settings_are_copied_as_json_has_them():
    settings = {"a": (1, 2), "b": {"c": [True]}}
    kept = as_json(settings, "`settings`")
    settings["b"]["c"].append(False)
    assert kept == {"a": [1, 2], "b": {"c": [True]}}


def endless():
    settings = {}
    settings["a"] = settings
    return settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([1], "`settings` must map names to values, found [1]"),
        ("a", "`settings` must map names to values, found 'a'"),
        ({"a": float("nan")}, "`settings` must be numbers, text, true, false, null"),
        ({"a": {1, 2}}, "not JSON serializable"),
        ({("a", "b"): 1}, "keys must be str"),
        (endless(), "Circular reference"),
    ],
    ids=["list", "text", "nan", "set", "key", "circle"],
)
def test_other_settings_are_refused_in_one_line(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        as_json(settings, "`settings`")
    assert "\n" not in str(caught.value)

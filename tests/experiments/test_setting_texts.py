import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.experiments.setting_texts import (
    column_names,
    image_size,
    names,
    whole_numbers,
)

SPACES = st.text(" ", max_size=2)


@given(st.lists(st.integers(), min_size=1), SPACES)
def test_whole_numbers(numbers, spaces):
    assert whole_numbers(f"{spaces},{spaces}".join(map(str, numbers)), "seeds") == numbers


@given(st.lists(st.text("ab_c", min_size=1), min_size=1), SPACES)
def test_names(words, spaces):
    text = f"{spaces},{spaces}".join(words)
    assert names(text, "methods") == column_names(text, "columns") == words


def test_quoted_names_of_columns_may_have_commas():
    assert column_names('a, "b, c",d', "columns") == ["a", "b, c", "d"]
    assert column_names("", "columns") == []


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from("xX"))
def test_sizes_of_images(height, width, cross):
    assert image_size(f"{height}{cross}{width}", "size") == (height, width)
    assert image_size(f"{height}", "size") == (height, height)


@pytest.mark.parametrize("text", ["", "1,", "1;2", "a", "1.5", "0x1"])
def test_other_texts_are_no_whole_numbers(text):
    message = f"`seeds` must be whole numbers separated by commas, found {text!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        whole_numbers(text, "seeds")


@pytest.mark.parametrize("text", ["", "x", "8x", "8x8x8", "-8", "8.0", "8 x 8", "²"])
def test_other_texts_are_no_sizes(text):
    with pytest.raises(ValueError, match=re.escape(f"height x width, as 32x48, found {text!r}")):
        image_size(text, "size")

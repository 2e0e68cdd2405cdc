import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.experiments.json_files import write_json

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("json") / "a.json"


@settings(max_examples=30)  # each writes through to the disk
@given(VALUES, st.sampled_from([None, 1, 2]))
def test_values_are_read_back(path, content, indent):
    write_json(path, content, indent=indent)
    assert json.loads(path.read_text(encoding="utf-8")) == content


@settings(max_examples=30)
@given(st.lists(NUMBERS, min_size=1), st.integers(0, 3))
def test_numbers_of_a_list_are_on_one_line(path, numbers, depth):
    content = numbers
    for _ in range(depth):
        content = {"inner": [content, "text"]}
    write_json(path, content)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum(json.dumps(numbers) in line for line in lines) == 1


def test_no_json_value_leaves_the_file_as_it_was(path):
    write_json(path, [1])
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert path.read_text() == "[1]\n"
    assert list(path.parent.iterdir()) == [path]

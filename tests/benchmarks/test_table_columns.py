import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.benchmarks._table_columns import Column, categories, numbers


def column(values, kind=None, is_text=False):
    return Column(pa.chunked_array([pa.array(values, kind)]), "`table` 'a'", "c", is_text)


def text(values):
    return column(values, pa.string(), is_text=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_read_from_text_as_python_reads_them(values):
    found = numbers(text([f" {value!r}" for value in values]), "no")
    assert found.tolist() == values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (column([1, 2], pa.int8()), [1, 2]),
        (column([2**63], pa.uint64()), [2.0**63]),
        (column([0.5], pa.float16()), [0.5]),
        (column([True, False]), [1, 0]),
        (column([Decimal("0.25")]), [0.25]),
        (text(["True", "False", "true"]), [1, 0, 1]),
        (text(["+1", "1e3", ".5", "5."]), [1, 1000, 0.5, 5]),
    ],
)
def test_kinds_of_numbers(values, expected):
    found = numbers(values, "no")
    assert found.dtype == np.float64
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (text(["1", "", "3"]), "has no value in the column 'c' in row 2: fill it in"),
        (text(["1", "NA"]), "has no value in the column 'c' in row 2"),
        (text(["1", "nan"]), "has no value in the column 'c' in row 2"),
        (text(["1", "-inf"]), "has '-inf' in the column 'c' in row 2: replace it"),
        (text(["1", "1e999"]), "has '1e999' in the column 'c' in row 2: replace it"),
        (text(["1", "1,5"]), "has '1,5', which is no number, in the column 'c' in row 2: no."),
        (text(["True", "perhaps"]), "has 'True', which is no number, in the column 'c' in row 1"),
        (column([1, None]), "has no value in the column 'c' in row 2"),
        (column([None, None]), "has no value in the column 'c' in row 1"),
        (column([1.0, np.nan]), "has no value in the column 'c' in row 2"),
        (column(["1"]), "has text in the column 'c': no."),
        (column([b"1"]), "has values of type binary in the column 'c': no."),
    ],
)
def test_values_that_are_not_numbers(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        numbers(values, "no")


@pytest.mark.parametrize(
    ("train", "test", "labels", "names"),
    [
        (["b", "a"], ["b"], [[1, 0], [1]], {0: "a", 1: "b"}),
        (["NA", " a "], ["a"], [[0, 1], [1]], {0: "NA", 1: "a"}),
        (["10", "9", "-1"], ["9.0"], [[10, 9, -1], [9]], {10: "10", 9: "9", -1: "-1"}),
        (["01", "1", "+1"], ["2"], [[1, 1, 1], [2]], {1: "1", 2: "2"}),
        (["1", "a"], ["2"], [[0, 2], [1]], {0: "1", 1: "2", 2: "a"}),
        (["9" * 30, "1"], ["1"], [[1, 0], [0]], {0: "1", 1: "9" * 30}),
    ],
)
def test_values_are_numbered(train, test, labels, names):
    assert categories([text(train), text(test)]) == (labels, names)
    dictionary = Column(text(test).values.dictionary_encode(), "`table`", "c", False)
    assert categories([text(train), dictionary]) == (labels, names)


def test_truth_values_and_whole_numbers_have_names():
    assert categories([column([True, False])]) == ([[1, 0]], {0: "false", 1: "true"})
    assert categories([column([3.0, 1.0])]) == ([[3, 1]], {3: "3", 1: "1"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (text(["a", ""]), "has no value in the column 'c' in row 2"),
        (text(["1", "2", "NA"]), "has 'NA' in the column 'c' in row 3: fill it in"),
        (text(["0.5", "2"]), "has 0.5, which is no whole number, in the column 'c'"),
        (column([0.5, 1.0]), "which is no whole number, in the column 'c'"),
        (column([1.0, np.inf]), "has 'inf'"),
        (column(["a", None]), "has no value in the column 'c' in row 2"),
        (column([b"a"]), "has values of type binary in the column 'c'"),
    ],
)
def test_values_that_are_not_classes(values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        categories([values])

"""Cells of CSV files that spreadsheets would compute."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.experiments.csv_cells import as_text, with_text_cells

FORMULAS = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r\n =1",
    "'=1",
    "＝1",
    "-",
)
HARMLESS = ("", "cat", "a=b", "'t", "-1", "+2.5", "-1e-05", "3 - 2", "deep/=1.png")


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe(text):
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay(text):
    assert as_text(text) == text


@given(*2 * [st.text("='-+@ \t1a＝", max_size=5)])
def test_different_texts_remain_different(one, other):
    assert (as_text(one) == as_text(other)) == (one == other)
    assert as_text(one) in (one, f"'{one}")


def test_what_cannot_be_encoded_is_escaped():
    assert as_text("caf\udce9\0") == r"caf\udce9\x00"


def test_tables_of_any_types():
    table = pd.DataFrame(
        {
            "=1+1": pd.Series(["=2", None], dtype="string"),
            "mixed": pd.Series([-3, "@x"], dtype=object),
            "number": [-1.5, 2.0],
            "whole": pd.Series([-1, None], dtype="Int64"),
        }
    )
    before = table.copy()
    written = io.StringIO(with_text_cells(table).to_csv(index=False))
    assert list(csv.reader(written)) == [
        ["'=1+1", "mixed", "number", "whole"],
        ["'=2", "-3", "-1.5", "-1"],
        ["", "'@x", "2.0", ""],
    ]
    pd.testing.assert_frame_equal(table, before)

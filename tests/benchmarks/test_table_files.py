"""Files of tables are read, or refused with an error of one line."""

import os
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.benchmarks import _table_files
from avalanche_emgd.benchmarks._table_files import Table

GOOD = b"a,b,kind\n1,2,x\n3,4,y\n"
WRONG = {
    "empty": (b"", "is empty"),
    "header alone": (b"a,b,kind\n", "has no rows"),
    "blank": (b"\n\n", "has no names of columns in its first row"),
    "commas": (b",,\n1,2,3\n", "has no names of columns in its first row"),
    "long row": (GOOD + b"1,2,3,4\n", "Expected 3 columns, got 4"),
    "short row": (GOOD + b"1,2\n", "Expected 3 columns, got 2"),
    "twice": (b"a,a,kind\n1,2,x\n", "has more than one column 'a'"),
    "twice, trimmed": (b"a, a,kind\n1,2,x\n", "has more than one column 'a'"),
    "semicolons": (b"a;b;kind\n1;2;x\n", "Columns must be separated by commas"),
    "tabs": (b"a\tb\tkind\n1\t2\tx\n", "Columns must be separated by commas"),
    "latin header": ("größe,kind\n1,x\n".encode("latin-1"), "is not a text file in UTF-8"),
    "latin row": (b"a,b,kind\n" + b"1,2,x\n" * 9999 + b"1,2,gr\xf6\xdfe\n", "not in UTF-8"),
    "utf-16": (GOOD.decode().encode("utf-16"), "is not a text file in UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is not a text file in UTF-8"),
    "open quote": (b'a,b,"kind\n1,2,x\n', "is no column of"),
}


def read(path, column="kind"):
    table = Table(path, "table")
    return table.read([table.check(column, "label_column")])


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_wrong_csv_files(content, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, content):
    for suffix in ("csv", "parquet"):
        path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        path.write_bytes(content)
        try:
            read(path)
        except ValueError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_values_with_commas_quotes_and_lines(tmp_path):
    values = ["a,b", 'say "no"', "two\nlines", "größe", "NA"]
    pd.DataFrame({"kind": values, "x": 1}).to_csv(tmp_path / "a.CSV", index=False)
    assert read(tmp_path / "a.CSV").column("kind").to_pylist() == values


def test_files_that_are_not_tables(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(GOOD)
    (tmp_path / "b.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name, words in (("a.xlsx", "ends with .csv or .parquet"), ("b.csv", "in a file that ends"),
                        ("pipe.csv", "is not a file")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="is not there"):
        read(tmp_path / "none.csv")


def test_damaged_parquet_files(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"kind": ["x", "y"] * 50, "a": np.arange(100.0)}).to_parquet(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"PAR1" + whole[4:-8] + bytes(8), GOOD, b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read as a table"):
            read(path)


def test_the_index_of_pandas_is_not_a_column(tmp_path):
    for index in (None, pd.Index([5, 7], name="number")):
        frame = pd.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"]}, index=index)
        frame[frame.a > 0].to_parquet(tmp_path / "a.parquet")
        assert Table(tmp_path / "a.parquet", "table").columns == ["a", "kind"]


def test_text_of_parquet_stays_dictionary_encoded(tmp_path):
    """A small file with a long text in each row takes little memory."""
    path = tmp_path / "a.parquet"
    column = pa.array(["x" * 100_000]).dictionary_encode()
    repeated = pa.DictionaryArray.from_arrays(np.zeros(50_000, dtype=np.int32), column.dictionary)
    pa.parquet.write_table(pa.table({"kind": repeated.cast(column.type)}), path)
    assert path.stat().st_size < 2e6
    assert read(path).nbytes < 2e6  # 5 GB written out


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_that_do_not_fit_into_memory_are_not_read(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"a.{suffix}"
    frame = pd.DataFrame({"kind": ["x", "y"] * 500})
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    free = type("Memory", (), {"available": 1000})
    monkeypatch.setattr(_table_files.psutil, "virtual_memory", lambda: free)
    with pytest.raises(ValueError, match="of free memory: choose fewer columns"):
        read(path)

"""Reading of columns from CSV files, Parquet files and pandas data frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from .._near import did_you_mean
from .._paths import checked_path
from .._text_files import excerpt, first_line
from .limits import MEMORY_SHARE
from .table_arguments import check_table_file

__all__ = ["Table"]

_CSV_FACTOR = 8  # bytes in memory for each byte of a CSV file, an upper bound
_SHOWN = 12  # names of columns in a message
_FAULTS = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, csv.Error)


class Table:
    """A table whose columns are read on demand.

    Columns of a CSV file are text. Columns of other tables keep their types.

    :param source: path of a ``.csv`` file (UTF-8, commas, names of columns in the first row) or a
        ``.parquet`` file, or a data frame.
    :param name: name of the argument, for error messages.
    :raises FileNotFoundError: if the file does not exist.
    :raises ValueError: if the file is not a table, two columns have one name, or names are missing.
    """

    def __init__(self, source: Any, name: str) -> None:
        self.file: Path | None = None
        """Path of the file; ``None`` for a data frame."""
        if isinstance(source, pd.DataFrame):
            self.what, self.is_text = f"`{name}`", False
            self._names = [str(column) for column in source.columns]
            self._read: Callable[[list[str]], Any] = lambda names: _from_frame(source, names)
        else:
            path = checked_path(source, name)
            self.file = path
            self.what = f"`{name}` {str(path)!r}"
            self.is_text = path.suffix.lower() == ".csv"
            check_table_file(path, name)
            if path.stat().st_size == 0:
                raise ValueError(f"{self.what} is empty.")
            names_in, read = (_csv_names, _read_csv) if self.is_text else (_names, _read_parquet)
            self._names = self._tried(lambda: names_in(path))
            self._read = lambda names: read(path, names)
        self.columns = [column.strip() for column in self._names]
        """Names of all columns."""
        named = [column for column in self.columns if column]
        twice = sorted({column for column in named if named.count(column) > 1})
        if twice:
            raise ValueError(
                f"{self.what} has more than one column {excerpt(twice[0])}: give each its own name."
            )
        if not named:
            raise ValueError(f"{self.what} has no names of columns in its first row.")

    def check(self, column: Any, name: str) -> str:
        """Check that the table has a column of this name.

        :param column: name of the column.
        :param name: name of the argument with that name, for error messages.
        :return: name of the column.
        :raises ValueError: if the column is missing; the message names the most similar one.
        """
        if isinstance(column, str) and column in self.columns and column:
            return column
        known = [each for each in self.columns if each]
        more = ", ..." if len(known) > _SHOWN else ""
        shown = " ".join((", ".join(known[:_SHOWN]) + more).split())
        hint = ""
        if self.is_text and len(self.columns) == 1 and any(mark in known[0] for mark in ";\t|"):
            hint = " Columns must be separated by commas."
        raise ValueError(
            f"`{name}` {excerpt(column)} is no column of {self.what}, which has {shown[:300]}."
            f"{did_you_mean(column, known)}{hint}"
        )

    def read(self, columns: Sequence[str]) -> Any:
        """Read columns into memory as an Arrow table.

        :raises ValueError: if the columns cannot be read or are too large, or there are no rows.
        """
        names = [self._names[self.columns.index(column)] for column in columns]
        found = self._tried(lambda: self._read(names))
        if found.num_rows == 0:
            raise ValueError(f"{self.what} has no rows.")
        return found.select(names).rename_columns(list(columns))

    def _tried(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except UnicodeDecodeError:
            raise ValueError(f"{self.what} is not a text file in UTF-8: save it as such.") from None
        except _FAULTS as error:
            words = first_line(error)[:200].rstrip(".")
            if "invalid UTF8" in words:
                words = "it is not in UTF-8"
            raise ValueError(f"{self.what} cannot be read as a table: {words}.") from None


def _csv_names(path: Path) -> list[str]:
    _check_memory(_CSV_FACTOR * path.stat().st_size)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next((row for row in csv.reader(file) if row), [])


def _read_csv(path: Path, names: list[str]) -> Any:
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=names, column_types=dict.fromkeys(names, pa.string())
        ),
    )


def _names(path: Path) -> list[str]:
    """List the columns of a Parquet file, without the index of a pandas data frame."""
    schema = pyarrow.parquet.read_schema(path)
    kept = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    return [name for name in schema.names if name not in kept]


def _read_parquet(path: Path, names: list[str]) -> Any:
    with pyarrow.parquet.ParquetFile(path) as file:
        _check_memory(sum(_bytes_in_memory(file.metadata, set(names))))
        types = {field.name: field.type for field in file.schema_arrow}
    # Dictionary encoding, as in the file, saves memory: a number for each row and a list of texts.
    texts = [name for name in names if pa.types.is_string(types[name])]
    return pyarrow.parquet.read_table(
        path, columns=names, read_dictionary=texts, partitioning=None, memory_map=False
    )


def _bytes_in_memory(metadata: Any, names: set[str]) -> Iterator[int]:
    """Yield upper bounds of the bytes of columns in memory: uncompressed size and 8 bytes a row."""
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            if column.path_in_schema.partition(".")[0] in names:
                yield column.total_uncompressed_size + 8 * metadata.row_group(group).num_rows


def _from_frame(frame: pd.DataFrame, names: list[str]) -> Any:
    chosen = frame.set_axis([str(column) for column in frame.columns], axis=1)[names]
    return pa.Table.from_pandas(chosen, preserve_index=False)


def _check_memory(needed: int) -> None:
    free = psutil.virtual_memory().available
    if needed > MEMORY_SHARE * free:
        raise ValueError(
            f"its numbers may take {needed / 1e9:.3g} GB, more than {MEMORY_SHARE:.0%} of the "
            f"{free / 1e9:.3g} GB of free memory: choose fewer columns, or save fewer rows"
        )

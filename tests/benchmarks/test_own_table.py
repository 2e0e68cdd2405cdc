import re

import numpy as np
import pandas as pd
import pytest
import torch

from avalanche_emgd import Timeline
from tests.benchmarks.own_data import loaded
from tests.benchmarks.tables import KINDS, N, frame, made
from tests.tolerance import assert_near


def test_features_are_scaled_by_the_training_rows(table):
    benchmark = made(table)
    assert benchmark.input_shape == (4,)
    assert benchmark.class_names == dict(enumerate(KINDS))
    assert sum(benchmark.task_sizes) == N - 6 * 5
    x, _, _ = loaded(benchmark)
    assert x.dtype == torch.float32
    assert_near(x.mean(0), torch.zeros(4), len(x), least=1.0)
    assert_near(x.std(0), torch.tensor([1.0, 1.0, 1.0, 0.0]), len(x), least=1.0)


def test_sources_give_the_same_benchmark(table):
    assert made(table) == made(frame())


def test_rows_are_those_of_the_table():
    whole = frame()
    benchmark = made(whole, feature_columns=["legs", "length"], raw_features=True)
    x, y, _ = loaded(benchmark)
    tests = [experience.load() for experience in benchmark.test_stream]
    x = torch.cat([x, *(each[0] for each in tests)])
    y = torch.cat([y, *(each[1] for each in tests)])
    found = {(*row, KINDS[label]) for row, label in zip(x.tolist(), y.tolist(), strict=True)}
    lengths = whole.length.astype(np.float32).astype(float)
    assert found == set(zip(whole.legs.astype(float), lengths, whole.kind, strict=True))


def test_a_second_table_has_the_test_rows():
    train, test = frame()[:90], frame()[90:]
    benchmark = made(train, test_share=None, test_table=test, feature_columns=["length"])
    x = torch.cat([experience.load()[0] for experience in benchmark.test_stream])
    expected = (test.length - train.length.mean()) / train.length.std()
    assert_near(x[:, 0].sort().values, torch.tensor(np.sort(expected)).float(), len(train))


def test_a_constant_column_is_zero_even_where_its_mean_is_rounded():
    x, _, _ = loaded(made(frame().assign(length=0.1)))
    assert torch.equal(x[:, 0], torch.zeros(len(x)))


def test_names_may_have_spaces_and_commas(tmp_path):
    path = tmp_path / "a.csv"
    text = frame().rename(columns={"legs": "legs, all"}).to_csv(index=False)
    path.write_text("\ufeff" + text.replace("kind", " kind "), encoding="utf-8")
    assert made(path, feature_columns=["legs, all"]).input_shape == (1,)


def changed(**columns):
    return frame().assign(**columns)


def with_one(value):
    found = frame()
    found.loc[3, "length"] = value
    return found


WRONG = [
    (frame(), {"label_column": "knd"}, "`label_column` 'knd' is no column of `table`, which has"),
    (frame(), {"label_column": "knd"}, "Did you mean 'kind'?"),
    (frame(), {"label_column": None}, "`label_column` None is no column"),
    (frame(), {"task_column": "sight"}, "`task_column` 'sight' is no column"),
    (frame(), {"task_column": "kind"}, "`task_column` 'kind' is `label_column`, too"),
    (frame(), {"task_column": "site", "label_sets": [[0], [1]]}, "both say what the tasks are"),
    (changed(site="memory of 3"), {"task_column": "site"}, "start with 'memory'"),
    (frame(), {"feature_columns": "legs"}, "must be a list of names of columns, found 'legs'"),
    (frame(), {"feature_columns": []}, "must be a list of names of columns, found []"),
    (frame(), {"feature_columns": ["legs", "leg"]}, "Did you mean 'legs'?"),
    (frame(), {"feature_columns": ["legs", "legs"]}, "`feature_columns` has 'legs' twice"),
    (frame(), {"feature_columns": ["kind"]}, "has 'kind', which is `label_column`"),
    (frame()[["kind"]], {}, "has no columns left that can be features"),
    (frame(), {"test_share": None}, "`test_share` is needed, such as 0.2, or `test_table`"),
    (frame(), {"test_share": 0.0}, "`test_share` must be a number between 0 and 1"),
    (frame(), {"test_share": 1}, "`test_share` must be a number between 0 and 1"),
    (frame(), {"test_share": float("nan")}, "`test_share` must be a number between 0 and 1"),
    (frame(), {"test_share": "0.2"}, "`test_share` must be a number between 0 and 1"),
    (frame(), {"test_table": frame()}, "both say which rows are for testing"),
    (frame(), {"overlap": 0.5, "timeline": Timeline.serial([1, 1])}, "both say when tasks start"),
    (frame(), {"num_tasks": 9}, "`num_tasks` must be in 1..6, found 9"),
    (frame(), {"seed": -1}, "`seed` must be an integer ≥ 0"),
    (frame()[:0], {}, "`table` has no rows"),
    (3, {}, "`table` must be a path, found 3"),
    (changed(kind="ant"), {}, "has one class only, 'ant', in the column 'kind'"),
    (changed(kind=np.arange(N)), {}, "has a single row of class '0'"),
    (changed(kind=np.arange(N) / 7), {}, "which is no whole number, in the column 'kind'"),
    (changed(kind=[None, *KINDS[1:]] * 20), {}, "has no value in the column 'kind' in row 1"),
    (changed(kind=pd.Timestamp(0)), {}, "has values of type timestamp"),
    (with_one(np.nan), {}, "`table` has no value in the column 'length' in row 4: fill it in"),
    (with_one(np.inf), {}, "`table` has inf in the column 'length' in row 4: replace it"),
    (changed(legs="six"), {}, "`table` has text in the column 'legs': encode it as numbers"),
    (changed(legs=[[1]] * N), {}, "has values of type list<item: int64> in the column 'legs'"),
    (changed(legs=[1, "x"] * 60), {}, "cannot be read as a table"),
    (changed(length=1e300), {"raw_features": True}, "too large for single precision"),
    (frame().rename(columns={"legs": "length"}), {}, "has more than one column 'length'"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "changes", "message"), WRONG, ids=[row[2] for row in WRONG])
def test_errors_name_the_fault(table, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        made(table, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (frame()[["length", "kind"]], "`test_table` has no column 'legs', which `table` has"),
        (changed(kind="ant"), "classes in `table` that are missing in `test_table`: bee, cat, dog"),
        (
            changed(kind=["owl", *KINDS[1:]] * 20),
            "in `test_table` that are missing in `table`: owl",
        ),
        (with_one(np.nan), "`test_table` has no value in the column 'length' in row 4"),
    ],
)
def test_errors_name_the_fault_in_the_second_table(test, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        made(frame(), test_share=None, test_table=test)


def test_the_test_table_is_another_table():
    whole = frame()
    with pytest.raises(ValueError, match="`test_table` is `table` itself"):
        made(whole, test_share=None, test_table=whole)

from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.experiments.tables import comparison_table, signed, task_table
from tests.experiments.finished import BENCHMARK, run_of


def rows_of(table):
    return list(zip(*(list(column.cells) for column in table.columns), strict=True))


def test_tasks_have_a_row_each_and_a_mean():
    table = task_table(run_of((0.5, 0.75), (0.25, 1.0)))
    assert table.title == "ps-digits, class-incremental, emgd-gmc"
    first, second = (f"{start}–{end}" for start, end in BENCHMARK.timeline.spans)
    assert rows_of(table) == [
        ("task0", "5", first, "50.0 %", "25.0 %", "−25.0"),
        ("task1", "5", second, "75.0 %", "100.0 %", "+25.0"),
        ("mean", "", "", "A_e 62.5 %", "A_ē 62.5 %", "F_ē +0.0"),
    ]


def test_methods_have_a_row_each_with_means_over_seeds():
    runs = [
        run_of((0.5, 0.5), (0.5, 0.5), method="avg", seed=1),
        run_of((1.0, 1.0), (0.5, 0.5), method="mgda", seed=1),
        run_of((0.5, 0.5), (0.25, 0.25), method="avg", seed=2),
    ]
    table = comparison_table(runs)
    assert table.title == "ps-digits, class-incremental, seeds 1, 2"
    # Standard deviation of 50 and 25: 25 / √2.
    assert rows_of(table) == [
        ("avg", "50.0 % ± 0.0", "37.5 % ± 17.7", "−12.5 ± 17.7"),
        ("mgda", "100.0 %", "50.0 %", "−50.0"),
    ]
    assert comparison_table(runs[:1]).title.endswith("seed 1")


@given(st.integers(-1000, 1000))
def test_signed_fractions_are_read_back(tenths):
    words = signed(tenths / 1000)
    assert words[0] in "+−"
    assert float(words.replace("−", "-")) == tenths / 10

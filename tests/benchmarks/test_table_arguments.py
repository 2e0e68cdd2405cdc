import pytest

from avalanche_emgd.benchmarks.table_arguments import check_table_file, check_test_rows


def test_files_with_a_table(tmp_path):
    path = tmp_path / "data.CSV"
    path.touch()
    check_table_file(path, "table")
    (tmp_path / "folder.csv").mkdir()
    for wrong in (tmp_path, tmp_path / "data.txt", tmp_path / "folder.csv"):
        with pytest.raises(ValueError, match=r"`table` .* must be a table, in a file that ends"):
            check_table_file(wrong, "table")
    with pytest.raises(FileNotFoundError, match="is not there"):
        check_table_file(tmp_path / "other.parquet", "table")


def test_one_argument_says_which_rows_are_for_testing(tmp_path):
    path = tmp_path / "data.csv"
    path.touch()
    assert check_test_rows(path, None, 0.25) == 0.25
    assert check_test_rows(path, tmp_path / "test.csv", None) == 0.0
    for arguments, message in (
        ((path, None, None), "`test_share` is needed"),
        ((path, path, 0.2), "both say which rows"),
        ((path, str(path), None), "`test_table` is `table` itself"),
        ((path, None, 1.0), "`test_share` must be a number between"),
    ):
        with pytest.raises(ValueError, match=message):
            check_test_rows(*arguments)

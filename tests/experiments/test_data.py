import re
from typing import get_args

import pytest

from avalanche_emgd.experiments.data import DATA, BenchmarkName


def test_each_name_of_a_benchmark_has_its_data():
    assert [*DATA] == [*get_args(BenchmarkName)]


def test_which_benchmarks_have_characters():
    characters = {name for name, data in DATA.items() if not data.flips}
    assert characters >= {"ps-digits", "ps-emnist"}
    assert characters.isdisjoint({"ps-cifar100", "ps-imagenet-tiny", "images", "npz", "table"})


@pytest.mark.parametrize(
    ("name", "root", "download", "message"),
    [
        ("ps-digits", None, True, "`download` is not for ps-digits, which is not downloaded."),
        ("npz", "a.npz", True, "`download` is not for npz"),
        ("ps-emnist", None, False, "`data_root` is needed for ps-emnist: the folder that holds"),
        ("ps-emnist", None, True, "--data-root DIR, and --download to fetch them there"),
        ("ps-emnist", "none", False, "`data_root` 'none' is not there in the current directory"),
        ("ps-emnist", "a.npz", True, "must be a folder, found a file. Such a file is for --npz FI"),
        ("images", "a.csv", False, "must be a folder, found a file. Such a file is for --table FI"),
        ("images", "a.txt", False, "`data_root` 'a.txt' must be a folder, found a file."),
        ("npz", "a.csv", False, "ends with .npz, with x_train, y_train, x_test and y_test"),
        ("npz", "folder.npz", False, "`data_root` 'folder.npz' must be a NumPy file"),
        ("npz", "none.npz", False, "needed is the .npz file (on the command line: --npz FILE)"),
        ("table", "a.npz", False, "Such a file is for --npz FILE."),
    ],
)
def test_places_are_checked_before_any_work(name, root, download, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npz").mkdir()
    for file in ("a.npz", "a.csv", "a.txt"):
        (tmp_path / file).write_text("")
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)) as caught:
        DATA[name].check(name, root, download=download)
    assert "\n" not in str(caught.value)


def test_right_places_are_accepted(tmp_path):
    (tmp_path / "A.NPZ").write_text("")
    DATA["ps-digits"].check("ps-digits", None, download=False)
    DATA["npz"].check("npz", str(tmp_path / "A.NPZ"), download=False)
    DATA["images"].check("images", str(tmp_path), download=False)
    DATA["ps-emnist"].check("ps-emnist", str(tmp_path / "none yet"), download=True)

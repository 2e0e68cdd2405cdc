"""Wrong tables and folders to divide: one line that names what was typed, exit status 2."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.cli.one_line import check_one_line

TRAIN = ("train", "--output", "run")
LABEL = ("--label-column", "kind")
SHARE = ("--test-share", "0.25")
RIGHT = (*TRAIN, "--table", "right.csv", *LABEL, *SHARE)
IMAGES = (*TRAIN, *SHARE, "--tasks", "2", "--images")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with a right table, wrong ones, and folders of images."""
    folder = tmp_path_factory.mktemp("inputs")
    kinds = np.array(["ant", "bee", "cat", "dog"])[np.arange(40) % 4]
    right = pd.DataFrame({"a": np.arange(40.0), "b": 1, "kind": kinds, "site": np.arange(40) % 2})
    for name, table in {
        "right": right,
        "words": right.assign(b="tall"),
        "missing": right.assign(b=[None, *range(39)]),
        "infinite": right.assign(b=[np.inf, *range(39)]),
        "one": right.assign(kind="ant"),
        "single": right.assign(kind=["owl", *kinds[1:]]),
        "numbers": right.assign(kind=right.a / 7),
        "others": right.assign(kind=["owl", *kinds[1:]])[:20],
        "fewer": right[["a", "kind", "site"]],
        "memory": right.assign(site="memory"),
    }.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    right.to_csv(folder / "indexed.csv")
    right.to_csv(folder / "semicolons.csv", sep=";", index=False)
    right.to_parquet(folder / "right.parquet")
    right[:0].to_csv(folder / "header.csv", index=False)
    (folder / "twice.csv").write_text("a,a,kind\n1,2,ant\n")
    (folder / "empty.csv").write_text("")
    (folder / "latin.csv").write_bytes("a,kind\n1,größe\n".encode("latin-1"))
    (folder / "cut.parquet").write_bytes((folder / "right.parquet").read_bytes()[:99])
    (folder / "renamed.parquet").write_bytes((folder / "right.csv").read_bytes())
    (folder / "renamed.csv").write_bytes((folder / "right.parquet").read_bytes())
    (folder / "text.txt").write_text("a,kind\n1,ant\n")
    (folder / "folder.csv").mkdir()
    (folder / "config.json").write_text(json.dumps({"benchmark": "table", "data_root": "x.csv"}))
    for name in ("ant", "bee"):
        (folder / "flat" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.full((8, 8, 3), 60 + number, dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "flat" / name / f"{number}.png")
    for part in ("train", "test"):
        shutil.copytree(folder / "flat", folder / "divided" / part)
    shutil.copytree(folder / "flat", folder / "both")
    shutil.copytree(folder / "divided", folder / "both", dirs_exist_ok=True)
    shutil.copytree(folder / "flat", folder / "validated" / "train")
    shutil.copytree(folder / "flat", folder / "validated" / "val")
    shutil.copytree(folder / "flat" / "ant", folder / "lone" / "ant")
    shutil.copytree(folder / "flat", folder / "short")
    for number in range(1, 4):
        (folder / "short" / "bee" / f"{number}.png").unlink()
    shutil.copytree(folder / "flat", folder / "hollow")
    (folder / "hollow" / "cat").mkdir()
    return folder


def table(name, *options):
    return (*TRAIN, "--table", name, *LABEL, *SHARE, *options)


ROWS = [
    # Files
    (table("none.csv"), "`--table` 'none.csv' is not there"),
    (table("text.txt"), "`--table` 'text.txt' must be a table, in a file that ends with .csv or"),
    (table("folder.csv"), "`--table` 'folder.csv' must be a table, in a file"),
    (table("flat"), "`--table` 'flat' must be a table, in a file"),
    (table(""), "`--table` '' must be a table, in a file"),
    (table("empty.csv"), "`--table` 'empty.csv' is empty"),
    (table("header.csv"), "`--table` 'header.csv' has no rows"),
    (table("latin.csv"), "`--table` 'latin.csv' is not a text file in UTF-8"),
    (table("renamed.csv"), "`--table` 'renamed.csv' is not a text file in UTF-8"),
    (table("renamed.parquet"), "`--table` 'renamed.parquet' cannot be read as a table"),
    (table("cut.parquet"), "`--table` 'cut.parquet' cannot be read as a table"),
    (table("twice.csv"), "`--table` 'twice.csv' has more than one column 'a'"),
    (table("indexed.csv"), "choose the input columns with `--feature-columns`"),
    (table("semicolons.csv"), "Columns must be separated by commas."),
    ((*TRAIN, "--npz", "right.csv"), "Such a file is for --table FILE."),
    ((*TRAIN, "--images", "right.parquet"), "found a file. Such a file is for --table FILE."),
    (table("mine.npz"), "Such a file is for --npz FILE."),
    # Columns
    ((*TRAIN, "--table", "right.csv", *SHARE), "`--label-column` is needed for a table"),
    ((*RIGHT, "--label-column", "Kind"), "`--label-column` 'Kind' is no column of `--table`"),
    ((*RIGHT, "--label-column", "kinds"), "Did you mean 'kind'?"),
    ((*RIGHT, "--label-column", ""), "`--label-column` '' is no column of `--table` 'right.csv'"),
    ((*RIGHT, "--label-column", "a"), "has 'ant', which is no number, in the column 'kind'"),
    ((*RIGHT, "--label-column", "a", "--feature-columns", "b"), "has a single row of class '0'"),
    ((*RIGHT, "--task-column", "sites"), "`--task-column` 'sites' is no column"),
    ((*RIGHT, "--task-column", "kind"), "`--task-column` 'kind' is `--label-column`, too"),
    ((*RIGHT, "--task-column", "site", "--tasks", "2"), "`--task-column` and `--tasks` both say"),
    (
        (*RIGHT, "--task-column", "site", "--protocol", "p.json"),
        "`--task-column` and `--protocol` both say what the tasks are",
    ),
    (table("memory.csv", "--task-column", "site"), "names that start with 'memory'"),
    ((*RIGHT, "--feature-columns", "a,c"), "`--feature-columns` 'c' is no column of `--table`"),
    ((*RIGHT, "--feature-columns", "a,a"), "`--feature-columns` has 'a' twice"),
    ((*RIGHT, "--feature-columns", "a,kind"), "has 'kind', which is `--label-column`"),
    ((*RIGHT, "--feature-columns", ""), "`--feature-columns` must be a list of names of columns"),
    # Values
    (table("words.csv"), "has 'tall', which is no number, in the column 'b' in row 1"),
    (table("missing.csv"), "has no value in the column 'b' in row 1: fill it in"),
    (table("infinite.csv"), "has 'inf' in the column 'b' in row 1: replace it"),
    (table("one.csv"), "has one class only, 'ant', in the column 'kind'"),
    (table("single.csv"), "has a single row of class 'owl'"),
    (table("numbers.csv"), "which is no whole number, in the column 'kind'"),
    ((*RIGHT, "--tasks", "9"), "`--tasks` must be in 1..4, found 9"),
    ((*RIGHT, "--tasks", "2", "--augment"), "`--augment` is for images [C, H, W]"),
    ((*RIGHT, "--tasks", "2", "--model", "resnet18"), "`--model` 'resnet18' is for images"),
    # Rows for testing
    ((*TRAIN, "--table", "right.csv", *LABEL), "`--test-share` is needed, such as 0.2, or `--test"),
    ((*RIGHT, "--test-share", "0"), "`--test-share` must be a number between 0 and 1"),
    ((*RIGHT, "--test-share", "1"), "`--test-share` must be a number between 0 and 1"),
    ((*RIGHT, "--test-share", "20"), "such as 0.2, found 20.0"),
    ((*RIGHT, "--test-share", "nan"), "`--test-share` must be a number between 0 and 1"),
    ((*RIGHT, "--test-share", "20%"), "Invalid value for '--test-share'"),
    ((*RIGHT, "--test-table", "others.csv"), "`--test-share` and `--test-table` both say"),
    *(
        ((*TRAIN, "--table", "right.csv", *LABEL, "--test-table", name), message)
        for name, message in (
            ("none.csv", "`--test-table` 'none.csv' is not there"),
            ("right.csv", "`--test-table` is `--table` itself"),
            ("text.txt", "`--test-table` 'text.txt' must be a table, in a file"),
            ("fewer.csv", "`--test-table` 'fewer.csv' has no column 'b', which `--table`"),
            (
                "others.csv",
                "in `--test-table` 'others.csv' that are missing in `--table` 'right.csv': owl",
            ),
            ("missing.csv", "`--test-table` 'missing.csv' has no value in the column 'b' in row 1"),
        )
    ),
    # Options that are for others
    ((*TRAIN, *LABEL), "`--label-column` is for tables of your own, not for ps-digits"),
    ((*TRAIN, *SHARE), "`--test-share` is for images and tables of your own, not for ps-digits"),
    ((*TRAIN, "--npz", "a.npz", *SHARE), "of your own, not for npz"),
    ((*TRAIN, "--images", "flat", *LABEL), "`--label-column` is for tables of your own, not for"),
    ((*TRAIN, "--raw-features"), "`--raw-features` is for tables of your own"),
    ((*RIGHT, "--size", "8"), "`--size` is for images of your own, not for table"),
    ((*RIGHT, "--images", "flat"), "says what the data are"),
    ((*RIGHT, "--data-root", "."), "exclude each other"),
    ((*RIGHT, "--download"), "`--download` is not for table"),
    ((*TRAIN, "--benchmark", "table"), "is needed for table: the .csv or .parquet file"),
    ((*TRAIN, "--config", "config.json", *LABEL), "`data_root` 'x.csv' is not there"),
    (("compare", "--methods", "avg", *RIGHT[1:], *SHARE, *LABEL, "--tasks", "9"), "in 1..4"),
    (("timeline", "--output", "t.png", *RIGHT[3:], "--label-column", "x"), "`--label-column` 'x'"),
    # Folders of images
    ((*IMAGES, "divided"), "is divided already, its folder train has folders itself: leave"),
    ((*IMAGES, "both"), "is divided already, its folder train has folders itself"),
    ((*IMAGES, "validated"), "is divided already, its folder train has folders itself"),
    ((*IMAGES, "lone"), "has images of one class only, 'ant'"),
    ((*IMAGES, "short"), "has a single image of class 'bee'"),
    ((*IMAGES, "hollow"), "Found no valid file for the class cat"),
    ((*IMAGES, "flat/ant"), "must have one folder of images for each class, for `--test-share`"),
    ((*IMAGES, "flat", "--test-share", "-0.1"), "`--test-share` must be a number between 0 and 1"),
    ((*TRAIN, "--images", "flat"), "To divide one folder of images for each class, give `--test"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), ROWS, ids=[" ".join(arguments)[:80] for arguments, _ in ROWS]
)
def test_a_wrong_input_is_one_line(arguments, message, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    check_one_line(arguments, message, inputs)

"""Making directories."""

import pytest

from avalanche_emgd.experiments.directories import make_directory


def test_a_directory_and_its_parents_are_made_once(tmp_path):
    for _ in range(2):
        make_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_way_is_named(tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        ValueError, match=r"`output` .*file.* cannot be made a directory: "
    ) as found:
        make_directory(tmp_path / place)
    assert "\n" not in str(found.value)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["a\0b", "\udcff"])
def test_paths_that_cannot_be_written_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="`output`"):
        make_directory(tmp_path / name)

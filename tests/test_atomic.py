import pytest

from avalanche_emgd._atomic import replacing


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_half():
        with replacing(path) as draft:
            draft.write_text("half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_no_folder_is_an_error_in_one_line(tmp_path):
    path = tmp_path / "none" / "file"
    with (
        pytest.raises(ValueError, match="none/file' cannot be written: No such file") as caught,
        replacing(path) as draft,
    ):
        draft.write_text("new")
    assert "\n" not in str(caught.value)


def test_a_draft_that_is_not_written_leaves_the_file(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(ValueError, match="file' cannot be written"), replacing(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_symbolic_link_stays(tmp_path):
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "a.pt", tmp_path / "a.pt"
    file.write_text("old")
    link.symlink_to(file)
    with replacing(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["a.pt"]

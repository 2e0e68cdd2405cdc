from urllib.error import URLError

import pytest

from avalanche_emgd import ps_cifar100, ps_emnist
from avalanche_emgd.benchmarks import cifar100, emnist
from avalanche_emgd.benchmarks._downloads import download_into

DOWNLOAD = {"download": True}


def folders(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def fail(root, made):
    (root / made).mkdir(parents=True)
    raise URLError("no network")


def test_a_failed_download_leaves_no_empty_folders(tmp_path):
    (tmp_path / "old").mkdir()
    root = tmp_path / "new" / "data"
    with pytest.raises(OSError, match="`download` of X into"), download_into(root, "X", **DOWNLOAD):
        fail(root, "X/raw")
    assert folders(tmp_path) == ["old"]


def test_files_and_earlier_folders_stay(tmp_path):
    (tmp_path / "X" / "raw").mkdir(parents=True)
    (tmp_path / "empty").mkdir()

    def stop_short():
        (tmp_path / "Y").mkdir()
        (tmp_path / "Y" / "part").write_text("1")
        fail(tmp_path, "Z")

    with pytest.raises(OSError, match="has failed"), download_into(tmp_path, "X", **DOWNLOAD):
        stop_short()
    assert folders(tmp_path) == ["X", "X/raw", "Y", "Y/part", "empty"]


def test_other_errors_are_as_they_are(tmp_path):
    with pytest.raises(URLError), download_into(tmp_path, "X", download=False):
        fail(tmp_path, "Z")
    with pytest.raises(KeyError), download_into(tmp_path, "X", download=True):
        raise KeyError


@pytest.mark.parametrize(
    ("make", "module", "kind"), [(ps_emnist, emnist, "EMNIST"), (ps_cifar100, cifar100, "CIFAR100")]
)
def test_ready_made_benchmarks_name_the_option(make, module, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(module, kind, lambda *args, **kwargs: fail(tmp_path / "data", "part"))
    with pytest.raises(OSError, match=r"`download` of .* has failed: .*no network"):
        make(tmp_path / "data", download=True)
    assert folders(tmp_path) == []

"""Files of checkpoints: whole, or refused in one line."""

import io
import os
import pickle
import random
import subprocess
import sys
import zipfile

import pytest
import torch

from avalanche_emgd import load_checkpoint, save_checkpoint
from avalanche_emgd.training.state import StateError, files

STATE = {"a": torch.arange(6.0).view(2, 3), "b": [1, 2.5, None, "text", (True, torch.ones(2))]}


def assert_refused(path, words="damaged|no checkpoint"):
    with pytest.raises(StateError, match=words) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


def whole(path):
    """Give a file the right checksum around any content."""

    def write(content):
        import hashlib

        outer = {
            "kind": "avalanche-emgd checkpoint",
            "format": 1,
            "sha256": hashlib.sha256(content).hexdigest(),
            "content": torch.frombuffer(bytearray(content), dtype=torch.uint8),
        }
        torch.save(outer, path)

    return write


def test_a_state_comes_back(tmp_path):
    save_checkpoint(tmp_path / "a.pt", STATE)
    found = load_checkpoint(tmp_path / "a.pt")
    assert torch.equal(found["a"], STATE["a"])
    assert found["b"][:4] == STATE["b"][:4]
    assert os.listdir(tmp_path) == ["a.pt"]
    outer = torch.load(tmp_path / "a.pt", weights_only=True)
    assert set(outer) == {"kind", "format", "sha256", "content"}


def test_files_with_other_bytes_are_refused_or_equal(tmp_path):
    path = tmp_path / "a.pt"
    save_checkpoint(path, STATE)
    content = path.read_bytes()
    draw = random.Random(0)
    messages = []
    for _ in range(300):
        changed = bytearray(content)
        place = draw.randrange(len(changed))
        changed[place] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            assert torch.equal(load_checkpoint(path)["a"], STATE["a"])
        except StateError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in each for each in messages)


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.99])
def test_truncated_files_are_refused(part, tmp_path):
    path = tmp_path / "a.pt"
    save_checkpoint(path, STATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert_refused(path)


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "a.pt"
    for content in ({"a": 1}, [1, 2], torch.ones(3), torch.nn.Linear(2, 2)):
        torch.save(content, path)
        assert_refused(path)
    torch.save({"kind": "avalanche-emgd checkpoint", "format": 2}, path)
    assert_refused(path, "has the format 2, and this release reads 1")
    with pytest.raises(FileNotFoundError, match="is not there"):
        load_checkpoint(tmp_path / "b.pt")


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/avalanche-emgd-was-here",)


class Huge:
    def __reduce__(self):
        return bytearray, (10**12,)


def archive(table):
    """Make a file of torch with any table of contents."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("archive/data.pkl", table)
        file.writestr("archive/version", "3\n")
        file.writestr("archive/byteorder", "little")
    return content.getvalue()


def nested(levels=60):
    value = [0]
    for _ in range(levels):
        value = [value, value]
    return value


def test_content_that_runs_code_or_grows_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    expanded = io.BytesIO()
    torch.save({"a": torch.zeros(1).expand(10**12)}, expanded)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(10**7))
    contents = [archive(pickle.dumps({"a": each}, 2)) for each in (Evil(), Huge(), nested())]
    contents += [pickle.dumps(Evil()), expanded.getvalue(), bomb.getvalue()]
    for content in contents:
        path.write_bytes(content)
        assert_refused(path)
        whole(path)(content)
        assert_refused(path)
    assert not os.path.exists("/tmp/avalanche-emgd-was-here")


def test_a_tensor_longer_than_its_data_is_refused(tmp_path):
    content = io.BytesIO()
    torch.save({"a": torch.ones(4)}, content)
    changed = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            record = old.read(name)
            new.writestr(name, record[:8] if name.endswith("data/0") else record)
    whole(tmp_path / "a.pt")(changed.getvalue())
    assert_refused(tmp_path / "a.pt", "another size than its data")


def test_a_failure_to_write_leaves_the_last_good_one(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    save_checkpoint(path, STATE)
    before = path.read_bytes()

    def full(self, content):
        with self.open("wb") as stream:
            stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(ValueError, match="cannot be written: No space left on device"):
        save_checkpoint(path, STATE)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.pt"]


def test_drafts_of_killed_processes_are_removed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    (tmp_path / f".a.pt.{process.pid}").write_text("half")
    (tmp_path / f".a.pt.{os.getppid()}").write_text("in work")
    save_checkpoint(tmp_path / "a.pt", STATE)
    assert sorted(os.listdir(tmp_path)) == [f".a.pt.{os.getppid()}", "a.pt"]


@pytest.mark.parametrize("name", ["run.pt", "a**.pt", "[1].pt", "a*b?.pt"])
def test_drafts_of_dead_processes_go_whatever_files_are_called(name, tmp_path):
    process = subprocess.Popen(["true"])
    process.wait()
    stays = [
        *(f".{name}.{os.getppid()}", f".{name}.²", f".{name}.{'9' * 30}", f".other.{process.pid}"),
        f".{name}.draft",
    ]
    for each in (*stays, f".{name}.{process.pid}"):
        (tmp_path / each).write_text("half")
    (tmp_path / f".{name}.0{process.pid}").mkdir()  # a folder cannot be unlinked
    files.save_plain(tmp_path / name, {"a": 1})
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {name, *stays, f".{name}.0{process.pid}"}
    assert files.load_plain(tmp_path / name, "it") == {"a": 1}

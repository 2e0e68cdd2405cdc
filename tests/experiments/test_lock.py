"""Locks of output directories, held by real processes."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import pytest
from typer.testing import CliRunner

from avalanche_emgd.cli import app
from avalanche_emgd.experiments import RunConfig, StudyConfig, run, run_study
from avalanche_emgd.experiments import lock as module
from avalanche_emgd.experiments.lock import LOCK, DirectoryInUseError, check_unlocked, locked
from tests.cli.one_line import check_one_line

HOLD = """
import sys
from pathlib import Path
from avalanche_emgd.experiments.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
# Enters again and again, in processes that die inside if asked to; a second process inside would
# find the file of the first one.
RACE = """
import os, sys
from pathlib import Path
from avalanche_emgd.experiments import lock
if sys.argv[2] == "no-links":
    del os.link
folder, dies = Path(sys.argv[1]), sys.argv[3] == "dies"

def enter():
    with lock.locked(folder):
        os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
        os.unlink(folder / "inside")
        if dies:
            os._exit(0)

entered = 0
while entered < 10:
    child = os.fork() if dies else 0
    if child:
        entered += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        continue
    try:
        enter()
        entered += 1
    except lock.DirectoryInUseError:
        if dies:
            os._exit(1)
print(entered)
"""


class Holder:
    """Process that holds the lock of a folder."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "held\n"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.communicate()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def write_lock(folder, **changes):
    folder.mkdir(exist_ok=True)
    owner = {"pid": 1, "host": socket.gethostname(), "since": "2026-01-01 00:00:00", **changes}
    (folder / LOCK).write_text(json.dumps(owner))


def test_a_second_process_is_refused_until_the_first_one_ends(tmp_path):
    with Holder(tmp_path) as holder:
        words = f"is in use by process {holder.process.pid} on {socket.gethostname()} since 20"
        for attempt in (lambda: check_unlocked(tmp_path), lambda: locked(tmp_path).__enter__()):
            with pytest.raises(DirectoryInUseError, match=words):
                attempt()
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    holder = Holder(tmp_path)
    holder.kill()
    assert (tmp_path / LOCK).is_file()
    check_unlocked(tmp_path)
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_number_of_a_process_that_is_used_again_does_not_keep_the_lock(tmp_path):
    write_lock(tmp_path, pid=os.getppid())
    with locked(tmp_path):
        pass


def test_the_lock_of_another_host_is_refused_with_the_remedy(tmp_path):
    write_lock(tmp_path, host="elsewhere")
    for attempt in (lambda: check_unlocked(tmp_path), lambda: locked(tmp_path).__enter__()):
        with pytest.raises(DirectoryInUseError, match=r"process 1 on elsewhere .* remove '.*lock'"):
            attempt()
    (tmp_path / LOCK).unlink()
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "[]", '{"pid": 1}', '{"pid": -1, "host": "a"}', "\x00"])
def test_a_lock_without_an_owner_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    (tmp_path / LOCK).write_text(content)
    with pytest.raises(DirectoryInUseError, match="lock of an unknown process"), locked(tmp_path):
        pass
    assert (tmp_path / LOCK).read_text() == content


NO_FILES = {
    "a folder": lambda lock: lock.mkdir(),
    "a link to nothing": lambda lock: lock.symlink_to("nothing"),
    "a link to itself": lambda lock: lock.symlink_to(LOCK),
    "a link to a file": lambda lock: lock.symlink_to(__file__),
    "a link to a folder": lambda lock: lock.symlink_to("."),
    "a pipe": os.mkfifo,
    "a socket": lambda lock: socket.socket(socket.AF_UNIX).bind(os.path.relpath(lock)),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_a_lock_that_is_no_file_is_refused_and_stays(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the paths of sockets are short
    NO_FILES[kind](tmp_path / LOCK)
    for attempt in (lambda: check_unlocked(tmp_path), lambda: locked(tmp_path).__enter__()):
        with pytest.raises(DirectoryInUseError, match=r"unknown process: .* remove '.*\.lock'"):
            attempt()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_without_flock_the_number_of_the_process_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "fcntl", None)
    write_lock(tmp_path, pid=os.getppid())
    with pytest.raises(DirectoryInUseError, match="in use by process"), locked(tmp_path):
        pass
    process = subprocess.Popen(["true"])
    process.wait()
    write_lock(tmp_path, pid=process.pid)
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("links", ["links", "no-links"])
@pytest.mark.parametrize("end", ["ends", "dies"])
def test_one_process_at_a_time_is_inside(links, end, tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path), links, end]

    def race(_):
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(race, range(4)))
    assert [each.returncode for each in found] == [0] * 4, found[0].stderr
    assert all(each.stderr == "" for each in found)
    assert [each.stdout for each in found] == ["10\n"] * 4


def test_contexts_of_a_thread_nest_and_another_thread_is_refused(tmp_path):
    errors = []

    def other():
        try:
            with locked(tmp_path):
                pass
        except DirectoryInUseError as error:
            errors.append(str(error))

    with locked(tmp_path):
        with locked(tmp_path / "." / ""):
            pass
        assert (tmp_path / LOCK).is_file()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    (message,) = errors
    assert f"process {os.getpid()}" in message


def test_folders_that_stay_empty_are_removed(tmp_path):
    with pytest.raises(RuntimeError), locked(tmp_path / "a" / "b"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "file").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file"]


@pytest.mark.parametrize("function", ["write", "fsync", "chmod"])
def test_a_lock_that_cannot_be_written_is_one_line(function, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, full)
        with pytest.raises(ValueError, match=r"`output` .* cannot be written into: No space left"):
            locked(tmp_path / "run").__enter__()
    assert list(tmp_path.iterdir()) == []


COMMANDS = {
    "train": ("train", "--tasks", "2"),
    "overwrite": ("train", "--tasks", "2", "--overwrite"),
    "resume": ("train", "--resume"),
    "compare": ("compare", "--methods", "avg"),
    "sweep": ("sweep", "--config", "sweep.yaml"),
    "demo": ("demo",),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_a_directory_in_use(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "method: emgd-gmc\nsearch:\n  decay: {low: 0, high: 0.5}\n"
    (tmp_path / "sweep.yaml").write_text(text)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    with Holder(tmp_path / "run") as holder:
        message = f"`--output` 'run' is in use by process {holder.process.pid} on "
        check_one_line((*COMMANDS[command], "--output", "run"), message, tmp_path)


def test_a_directory_is_locked_while_it_is_written(tmp_path, monkeypatch):
    seen = []

    def look(*arguments, **options):
        seen.append((tmp_path / "run" / LOCK).is_file())
        raise RuntimeError

    # The package has functions with the names of these modules.
    monkeypatch.setattr(import_module("avalanche_emgd.experiments.run"), "execute", look)
    monkeypatch.setattr(import_module("avalanche_emgd.experiments.study"), "connect", look)
    config = RunConfig(num_tasks=2)
    for attempt in (
        lambda: run(config, tmp_path / "run", progress=False),
        lambda: run_study(StudyConfig(["avg"]), tmp_path / "run", progress=False),
    ):
        with pytest.raises(RuntimeError):
            attempt()
        assert not (tmp_path / "run").exists()
    assert seen == [True, True]


def test_a_finished_command_leaves_no_lock(tmp_path):
    words = ["train", "--tasks", "2", "--batch-size", "64", "--output", str(tmp_path / "run")]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert not (tmp_path / "run" / LOCK).exists()
    assert (tmp_path / "run" / "metrics.json").is_file()

"""Worker processes are forks of a server that has imported everything, once."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from multiprocessing import forkserver

import pytest

from avalanche_emgd.experiments import worker_processes
from avalanche_emgd.experiments.scheduling import connect
from avalanche_emgd.experiments.worker_processes import START_METHOD, importing_early

pytestmark = pytest.mark.skipif(START_METHOD != "forkserver", reason="the platform has no server")


def look():
    """What a worker finds when it starts."""
    return "avalanche_emgd.experiments.worker" in sys.modules, gc.get_freeze_count(), os.getppid()


def run(code):
    """Run code in a fresh interpreter, in which no server runs."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def test_workers_have_imported_everything_and_collections_leave_that_alone():
    with connect(None, 2) as client:
        found = list(client.run(look).values())
    assert len(found) == 2
    assert len({parent for _, _, parent in found}) == 1
    for imported, frozen, _ in found:
        assert imported
        assert frozen > 100_000


def test_a_server_that_runs_is_left_as_it_is():
    with connect(None, 1):
        before = worker_processes._server()
    with pytest.raises(RuntimeError), importing_early():
        raise RuntimeError
    forkserver.ensure_running()
    assert worker_processes._server() == before is not None


def test_the_server_starts_beside_and_remains():
    code = """
        import os
        from avalanche_emgd.experiments.worker_processes import _server, importing_early
        with importing_early():
            pass
        os.kill(_server(), 0)
        with importing_early(), importing_early():
            print("went on")
        os.kill(_server(), 9)
    """
    assert run(code) == "went on\n"


def test_it_is_not_started_where_it_is_not_wanted():
    code = """
        from avalanche_emgd.experiments.worker_processes import _server, importing_early
        with importing_early(False):
            print(_server())
    """
    assert run(code) == "None\n"


def test_an_error_ends_the_server_at_once():
    """It holds the output of this process open: until it has imported, a pipe would not end."""
    code = """
        import os
        from avalanche_emgd.experiments.worker_processes import _server, importing_early
        try:
            with importing_early():
                raise ValueError("wrong")
        except ValueError as error:
            ended = os.waitid(os.P_PID, _server(), os.WEXITED | os.WNOHANG | os.WNOWAIT)
            print(error, ended is not None)
    """
    assert run(code) == "wrong True\n"


def test_after_an_error_another_server_starts():
    code = """
        import multiprocessing
        from avalanche_emgd.experiments.worker_processes import _server, importing_early
        try:
            with importing_early():
                first = _server()
                raise ValueError
        except ValueError:
            pass
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([])
        process = context.Process(target=print, args=("works",))
        process.start()
        process.join()
        assert process.exitcode == 0
        assert _server() != first
    """
    assert run(code) == "works\n"

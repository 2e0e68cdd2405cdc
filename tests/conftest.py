"""Shared settings and fixtures.

Property tests draw the same examples in every run. To look for new ones:
``HYPOTHESIS_PROFILE=explore python -m pytest tests/optim``.

Rounding differs between machines. These variables simulate other machines: ``EMGD_TEST_THREADS=2``
sets the number of threads (default 1). ``EMGD_TEST_ROUNDING=NAME`` changes the last digits like
another processor, one for each name (:mod:`tests.rounding`). ``ATEN_CPU_CAPABILITY=default`` or
``avx2`` uses PyTorch's code for older processors.
"""

import functools
import gc
import logging
import os
import signal
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
import typer.testing
from hypothesis import Phase, settings

from avalanche_emgd.benchmarks import _decoded
from tests.rounding import AnotherProcessor
from tests.sharing_out import in_order
from tests.sharing_out import scheduler as pieces

settings.register_profile("fixed", derandomize=True, max_examples=200, deadline=None)
settings.register_profile("explore", max_examples=5000, deadline=None)
# A mutant is killed by the first example that fails; a smaller one says nothing more.
settings.register_profile(
    "mutants",
    derandomize=True,
    max_examples=25,
    deadline=None,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Tests set the width of tables when they call a command; runners in parallel set it for all.
os.environ.pop("COLUMNS", None)

# Shells start background jobs with Ctrl-C ignored, and programs that tests start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A command is made of the functions of the command line once, and not at each call.
typer.testing._get_command = functools.cache(typer.testing._get_command)

# More threads are slower, because the models of the tests are tiny.
torch.set_num_threads(int(os.environ.get("EMGD_TEST_THREADS", "1")))

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared_data():
    """Folder with real EMNIST images, if there is one beside the project."""
    root = SHARED / "data"
    if not (root / "EMNIST" / "raw").is_dir():
        pytest.skip(f"needs EMNIST in {root}")
    return root


@pytest.fixture
def published_protocol():
    """Published protocol of PS-EMNIST, if there is one beside the project."""
    path = SHARED / "reference" / "ps_emnist.json"
    if not path.is_file():
        pytest.skip(f"needs the published protocol {path}")
    return path


@pytest.fixture(scope="session")
def scheduler():
    """Address of a Dask cluster that lives in this process: one worker with two threads."""
    from distributed import LocalCluster

    threads = torch.get_num_threads()
    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster.scheduler_address
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _seeded():
    # For devices that are not there, `torch.manual_seed` formats the whole stack.
    is_alone = not torch.accelerator.is_available()
    (torch.default_generator if is_alone else torch).manual_seed(0)


def pytest_collection_modifyitems(items):
    items[:] = in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return pieces(config, log) if config.option.dist == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    gc.disable()  # next to nothing of what is imported and collected is garbage
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Spare garbage collections, which each run asks for, what was imported and collected."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    name = os.environ.get("EMGD_TEST_ROUNDING")
    elsewhere = "scheduler" in pyfuncitem.fixturenames  # runs in threads that round as they do
    with AnotherProcessor(name) if name and not elsewhere else nullcontext():
        return (yield)


@pytest.fixture
def undrawn(monkeypatch):
    """For tests in which pictures say nothing: figures are made, but drawing takes long."""

    def savefig(figure, file, **options):
        write = file.write if hasattr(file, "write") else Path(file).write_bytes
        write(b"a picture")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", savefig)


@pytest.fixture
def nothing_shared(monkeypatch):
    """Forget the decoded content that tests before have shared."""
    monkeypatch.setattr(_decoded, "_entries", {})

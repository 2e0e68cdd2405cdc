from pathlib import Path
from types import SimpleNamespace

from tests.sharing_out import FIRST, PROCESSES, WITH_WORKERS, WORKERS, in_order, piece_of

ROOT = Path(__file__).parents[1]


def test_pieces_that_come_first_are_there():
    assert all((ROOT / piece).exists() for piece in (*FIRST, *WITH_WORKERS))


def test_pieces_are_files_but_for_those_that_share_processes():
    assert piece_of("tests/optim/test_mean.py::test_sum[a::b]") == "tests/optim/test_mean.py"
    assert piece_of("tests/distributed/test_pool.py::test_start") == PROCESSES
    assert piece_of(f"{WITH_WORKERS[-1]}::test_a") == WORKERS


def test_other_pieces_keep_their_order():
    files = ["tests/b.py", FIRST[1], "tests/a.py", f"{PROCESSES}/test_c.py", "tests/b.py"]
    items = [SimpleNamespace(nodeid=f"{file}::test") for file in files]
    found = [item.nodeid.partition("::")[0] for item in in_order(items)]
    assert found == [f"{PROCESSES}/test_c.py", FIRST[1], "tests/b.py", "tests/a.py", "tests/b.py"]

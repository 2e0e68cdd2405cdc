"""How runners in parallel share out the tests: file by file, what takes long comes first.

Files whose tests share processes form one piece.
"""

from pathlib import PurePosixPath

PROCESSES, WORKERS = "tests/distributed", "tests/experiments/test_study_killed.py"
# Each process forks the workers of all its studies from one server.
WITH_WORKERS = (
    WORKERS,
    "tests/experiments/test_worker_processes.py",
    "tests/experiments/test_own_data.py",
    "tests/test_examples.py",
)
# Few tests that take many seconds each: at the end, one runner would be left alone with them.
FIRST = (
    PROCESSES,
    WORKERS,
    "tests/experiments/test_demo.py",
    "tests/test_kills.py",
)


def piece_of(nodeid):
    """Name of the piece that a test belongs to."""
    file = nodeid.partition("::")[0]
    if PurePosixPath(file).is_relative_to(PROCESSES):
        return PROCESSES
    return WORKERS if file in WITH_WORKERS else file


def in_order(items):
    """Sort tests by piece; those of other pieces keep their order."""
    places = {piece: place for place, piece in enumerate(FIRST)}
    return sorted(items, key=lambda item: places.get(piece_of(item.nodeid), len(places)))


def scheduler(config, log):
    """Make the scheduler of ``--dist loadfile``."""
    from xdist.scheduler import LoadFileScheduling

    class LoadPieces(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return piece_of(nodeid)

    config.option.loadscopereorder = False  # by the number of tests
    return LoadPieces(config, log)

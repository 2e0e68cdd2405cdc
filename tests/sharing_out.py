"""How runners in parallel share out the tests: file by file, what takes long comes first.

Tests of several processes form one piece, because they share the processes.
"""

from pathlib import PurePosixPath

TOGETHER = "tests/distributed"
# Few tests that take many seconds each: at the end, one runner would be left alone with them.
FIRST = (
    TOGETHER,
    "tests/experiments/test_demo.py",
    "tests/experiments/test_study_killed.py",
    "tests/test_kills.py",
    "tests/test_examples.py",
    "tests/experiments/test_worker_processes.py",
)


def piece_of(nodeid):
    """Name of the piece that a test belongs to."""
    file = PurePosixPath(nodeid.partition("::")[0])
    return TOGETHER if file.is_relative_to(TOGETHER) else str(file)


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

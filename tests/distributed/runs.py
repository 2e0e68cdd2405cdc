"""What tests of several processes compare."""

from functools import cache

from tests.distributed import cases
from tests.distributed.pool import one_thread


def distance(found, expected):
    return float((found - expected).double().norm() / expected.double().norm())


@cache
def _alone(options):
    with one_thread():
        return cases.train(**dict(options))


def in_one_process(**options):
    """Train in this process, once for equal options; return what is compared."""
    options.pop("distributed", None)
    return _alone(tuple(sorted(options.items(), key=lambda item: item[0])))

import pytest

from tests.distributed.pool import Pool


@pytest.fixture(scope="package")
def pool():
    found = Pool({"2": 2, "3": 3, "raises": 2, "killed": 3, "differ": 2, "full": 2})
    yield found
    found.close()

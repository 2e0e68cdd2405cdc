import pytest

from tests.distributed.pool import Pool


@pytest.fixture(scope="package")
def pool():
    # Tests whose processes end have groups of their own.
    ending = {"raises": 2, "killed": 3, "loader": 2, "evaluation": 2, "full": 2, "writes": 2}
    found = Pool({"2": 2, "3": 3, **ending})
    yield found
    found.close()

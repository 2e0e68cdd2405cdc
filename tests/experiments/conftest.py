import logging

import pytest
import torch
from distributed import LocalCluster


@pytest.fixture(scope="session")
def scheduler():
    """Address of a Dask cluster that lives in this process: one worker with two threads."""
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

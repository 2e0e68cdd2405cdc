import numpy as np
import pytest

from avalanche_emgd.benchmarks.held_out import check_test_share


@pytest.mark.parametrize("share", [0.2, np.float32(0.5), 1e-9])
def test_shares_between_zero_and_one(share):
    assert check_test_share(share) == float(share)


@pytest.mark.parametrize("share", [0, 1, 0.0, 1.0, -0.1, True, "0.2", None, float("nan")])
def test_other_shares(share):
    with pytest.raises(ValueError, match="`test_share` must be a number between 0 and 1"):
        check_test_share(share)

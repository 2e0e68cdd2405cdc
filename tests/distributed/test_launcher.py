import pytest

from avalanche_emgd.distributed.launcher import rank_of_launcher, size_of_launcher


@pytest.mark.parametrize(
    ("rank", "size", "expected"),
    [("2", "3", (2, 3)), (None, None, (0, 1)), ("first", "-2", (0, 1)), ("", "", (0, 1))],
)
def test_what_a_launcher_says(rank, size, expected, monkeypatch):
    for name, value in (("RANK", rank), ("WORLD_SIZE", size)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert (rank_of_launcher(), size_of_launcher()) == expected

from unittest.mock import patch

import pytest

from avalanche_emgd.evaluation import PCLResult
from avalanche_emgd.experiments import RunConfig, demo
from avalanche_emgd.experiments.demo import what_it_shows
from tests.command_line import call, without_warnings

PNG = b"\x89PNG"


@pytest.mark.parametrize("fails_after", [0, 5])
def test_a_failed_demonstration_leaves_nothing_of_its_own(fails_after, tmp_path):
    places = []

    def run(config, place, **options):
        if len(places) == fails_after:
            raise KeyboardInterrupt
        places.append(place)
        (place / "metrics.json").write_text("{}")

    (tmp_path / "mine" / "avg").mkdir(parents=True)
    with patch.object(demo, "run", run), pytest.raises(KeyboardInterrupt):
        demo.run_demo(tmp_path / "its own" / "demo")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    places.clear()
    with patch.object(demo, "run", run), pytest.raises(KeyboardInterrupt):
        demo.run_demo(tmp_path / "mine", overwrite=True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["avg"]


def test_demo(tmp_path):
    result = without_warnings("demo", "--output", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    for text in (
        "emgd++",
        "emgd-gmc",
        "der++",
        "avg",
        "curves.png",
        "seeds 3, 4, 5",
        "At the very",
    ):
        assert text in result.output.replace("\n", "")
    assert (tmp_path / "demo" / "curves.png").read_bytes().startswith(PNG)
    for seed in range(3, 6):
        assert (tmp_path / "demo" / "avg" / f"seed-{seed}" / "metrics.json").exists()
    again = call("demo", "--output", tmp_path / "demo")
    assert again.exit_code == 2
    assert "not empty" in again.output


class Finished:
    """A run with given means."""

    def __init__(self, label, A_ebar, F_ebar):
        self.config = RunConfig(name=label)
        self.result = PCLResult((A_ebar - F_ebar,), (A_ebar,))


def test_the_best_and_the_worst_are_named_with_means_over_their_runs():
    runs = [Finished("a", 0.5, -0.1), Finished("b", 0.9, 0.0), Finished("c", 0.6, 0.0)]
    runs += [Finished("a", 0.75, -0.3), Finished("b", 0.5, -0.5), Finished("c", 0.6, 0.0)]
    assert what_it_shows(runs) == (
        "At the very end the mean accuracy of the tasks is 70 % with b and 60 % with c. Since each "
        "task's own end, it changed by −25.0 and +0.0 points."
    )

"""The demonstration, without its training."""

from unittest.mock import patch

import pytest

from avalanche_emgd.experiments import demo


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

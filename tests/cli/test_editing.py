import json
import re

import pytest
import torch
from matplotlib.image import imread

from avalanche_emgd.cli.editing import editing_settings
from tests.command_line import call
from tests.tolerance import tolerance


def test_train_edits_the_memory(tmp_path):
    edit = "cosine,step=0.1,radius=0.4,every=2,measure_every=1"
    result = call("train", "--output", tmp_path / "run", "--tasks", 2, "--edit", edit)
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["settings"] == {
        "memory_editing": {
            "rule": "cosine", "step": 0.1, "radius": 0.4, "every": 2, "measure_every": 1
        }
    }  # fmt: skip
    measures = json.loads((tmp_path / "run" / "editing.json").read_text())
    assert all(measure["tick"] % 2 == 0 for measure in measures)
    longest = 0.4 * (1.0 + tolerance(torch.float32, 64))
    assert 0.0 < measures[-1]["max_drift"] <= longest
    assert imread(tmp_path / "run" / "edits.png").shape[2] in (3, 4)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("cosine", {"rule": "cosine"}),
        (" gmed , step = 0.5", {"rule": "gmed", "step ": 0.5}),
        (
            "gmed,step=0.5,every=2,radius=null",
            {"rule": "gmed", "step": 0.5, "every": 2, "radius": None},
        ),
        ("gmed,note=a=b", {"rule": "gmed", "note": "a=b"}),
    ],
)
def test_values_are_those_of_yaml(text, settings):
    assert editing_settings(text) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosine,step", "`edit` must be RULE or RULE,NAME=VALUE,"),
        ("cosine,", "`edit` must be RULE or RULE,NAME=VALUE,"),
        ("cosine,step=1,step=2", "with each name once"),
        ("cosine,rule=gmed", "with each name once"),
        ("cosine,step={", "`edit` has a value that cannot be read: 'step={'"),
    ],
)
def test_other_texts_are_refused_in_one_line(text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        editing_settings(text)
    assert "\n" not in str(caught.value)

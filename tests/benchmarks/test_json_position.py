import json

import pytest

from avalanche_emgd.benchmarks._json_position import line_of

TEXT = """{
  "a": [1,
    {"b": "}]"},
    [2, 3]
  ],

  "c\\"d": {"e": null}
}"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ([], 1),
        (["a"], 2),
        (["a", 0], 2),
        (["a", 1, "b"], 3),
        (["a", 2, 1], 4),
        (['c"d', "e"], 7),
        (["missing"], 1),
        (["a", 9], 2),
        (["a", 0, "deeper"], 2),
    ],
)
def test_line_of_a_value(path, line):
    assert line_of(TEXT, path) == line


def test_one_value_a_line():
    content = {str(k): [k, {"x": k}] for k in range(20)}
    text = json.dumps(content, indent=1)
    for k in range(20):
        assert f'"x": {k}' in text.splitlines()[line_of(text, [str(k), 1, "x"]) - 1]

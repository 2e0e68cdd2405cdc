import json

import pytest

from avalanche_emgd import Protocol, Timeline
from avalanche_emgd.benchmarks import LabelSet, ProtocolError

GOOD = """{
  "name": "small",
  "dataset": "digits",
  "num_classes": 4,
  "batch_size": 8,
  "label_sets": [
    {
      "classes": [[0, 3], [1, 2]],
      "timelines": [
        [[0, 9], [5, 14]],
        [[0, 9], [10, 19]]
      ]
    }
  ]
}
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "protocol.json"
        path.write_text(text)
        return path

    return write


def test_reads_label_sets_and_time_lines(file):
    protocol = Protocol.load(file(GOOD))
    classes, timeline = protocol.select(0, 1)
    assert classes == ((0, 3), (1, 2))
    assert timeline == Timeline(((0, 9), (10, 19)))
    assert (protocol.name, protocol.dataset) == ("small", "digits")
    assert (protocol.num_classes, protocol.batch_size) == (4, 8)


def test_writes_what_it_reads(tmp_path):
    label_set = LabelSet(((0, 3), (1, 2)), (Timeline(((0, 9), (5, 14))),))
    protocol = Protocol("small", "digits", 4, 8, (label_set,))
    protocol.save(tmp_path / "saved.json")
    assert Protocol.load(tmp_path / "saved.json") == protocol


def test_published_protocol(published_protocol, tmp_path):
    protocol = Protocol.load(published_protocol)
    assert protocol.num_classes == 62
    assert [len(s.timelines) for s in protocol.label_sets] == [3, 3, 3]
    protocol.save(tmp_path / "saved.json")
    assert Protocol.load(tmp_path / "saved.json") == protocol


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"name": "small",', '"name": "small"', r"line 3, column 3: not valid JSON"),
        ('"batch_size": 8,', "", r"line 1: the file misses the key 'batch_size'"),
        ('"batch_size": 8', '"batch_size": "8"', r"line 5: key 'batch_size' must be an integer"),
        ('"batch_size": 8', '"batch_size": 0', r"key 'batch_size' must be an integer ≥ 1, found 0"),
        ("[1, 2]]", "[]]", r"line 8: key 'label_sets\[0\].classes\[1\]' must be a list with"),
        ("[1, 2]]", "[1, 3]]", r"line 8: key 'label_sets\[0\].classes' `classes` must not overlap"),
        ("[1, 2]]", "[1, 4]]", r"line 8.*class 4, outside 0..3"),
        ("[1, 2]]", '[1, "x"]]', r"line 8: key 'label_sets\[0\].classes\[1\]\[1\]'.*'x'"),
        ("[10, 19]]", "[19, 10]]", r"line 11: key 'label_sets\[0\].timelines\[1\]'.*end before it"),
        ("[5, 14]]", "[-5, 14]]", r"line 10: key 'label_sets\[0\].timelines\[0\]'.*before tick 0"),
        (", [10, 19]", "", r"line 11.*must have 2 spans, one per task, found 1"),
        (
            '"classes"',
            '"klasses"',
            r"line 8: key 'label_sets\[0\].klasses'.*'classes'",
        ),
        (
            '"timelines"',
            '"lines"',
            r"line 9: key 'label_sets\[0\].lines'.*'timelines'",
        ),
    ],
)
def test_malformed_file_names_key_and_line(file, old, new, message):
    assert old in GOOD
    with pytest.raises(ProtocolError, match=message):
        Protocol.load(file(GOOD.replace(old, new)))


def test_line_is_found_in_any_layout(file):
    content = json.loads(GOOD)
    content["label_sets"][0]["timelines"][1][0] = [3, 2]
    with pytest.raises(ProtocolError, match=r"line 1: key 'label_sets\[0\].timelines\[1\]'"):
        Protocol.load(file(json.dumps(content)))
    with pytest.raises(ProtocolError, match=r"line 29: key 'label_sets\[0\].timelines\[1\]'"):
        Protocol.load(file(json.dumps(content, indent=1)))


def test_not_an_object(file):
    with pytest.raises(ProtocolError, match="line 1: the file must be an object"):
        Protocol.load(file("[1, 2]"))


def test_no_such_choice(file):
    protocol = Protocol.load(file(GOOD))
    with pytest.raises(ValueError, match=r"`label_set` must be in 0..0.*found 1"):
        protocol.select(1, 0)
    with pytest.raises(ValueError, match=r"`timeline` must be in 0..1.*found -1"):
        protocol.select(0, -1)

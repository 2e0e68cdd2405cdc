"""YAML files that would take much memory or time."""

import pytest

from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.experiments.yaml_files import parse_yaml
from tests.hostile import DEEP, laughs, refused

YAML = {
    "laughs": (laughs(9) + "\nmethods: *a8", "line 5: much larger than the file"),
    "laughs as settings": (
        laughs(9) + "\nmethods: [{method: avg, settings: {x: *a8}}]",
        "much larger",
    ),
    "merged": (
        "a: &a {x: 1}\n"
        + "\n".join(
            f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{', '.join(['*' + chr(97 + i)] * 9)}]}}"
            for i in range(9)
        ),
        "much larger",
    ),
    "itself": ("methods: &a [*a]", "line 1: a value that contains itself"),
    "long text many times": (
        f"a: &a {'x' * 10_000}\nmethods: [{', '.join(['*a'] * 2000)}]",
        "much larger",
    ),
    "flow nesting": ("methods: " + "[" * DEEP, "nested too deeply|nesting depth"),
    "block nesting": ("methods:\n" + "- " * 5_000 + "x", "nested too deeply"),
    "braces": ("{a: " * DEEP, "nested too deeply|nesting depth"),
    "digits": ("methods: [avg]\nseeds: [" + "9" * 10_000 + "]", "line 2: a number has too many"),
    "hexadecimal": ("methods: [avg]\nbatch_size: 0x" + "f" * 100_000, "line 2: a number has"),
    "sexagesimal": ("methods: [avg]\nbatch_size: 1" + ":59" * 50_000, "line 2: a number has"),
    "shorter digits": ("methods: [avg]\nbatch_size: " + "9" * 4000, "`batch_size` must be at most"),
    "infinity": ("methods: [avg]\nlearning_rate: .inf", "`learning_rate` must be positive"),
    "not a number": ("methods: [avg]\noverlap: .nan", "`overlap` must be in"),
    "half a character": ('methods: ["\\ud800"]', "cannot be encoded|not YAML|not a YAML"),
    "date": ("methods: [2001-99-99]", "is not a YAML file"),
    "object": ("methods: !!python/object/apply:os.getcwd []", "is not a YAML file"),
    "binary": ("methods: [\x01]", "is not a YAML file"),
    "keys": ("methods: [avg]\n? [a, b]\n: c", "is not a YAML file|unknown keys"),
    "runs": (
        f"methods: [avg, mgda]\nseeds: {list(range(1000))}\nlabel_sets: {list(range(1000))}",
        "make 2000000 runs",
    ),
    "tasks": ("methods: [avg]\noverlap: 0.5\nnum_tasks: 1000000000", "`num_tasks` must be at most"),
    "seed": ("methods: [avg]\nseeds: [99999999999999999999]", "`seed` must be at most"),
    "threads": ("methods: [avg]\nthreads: 0", "`threads` must be at least 1"),
    "nothing": ("", "must map names to values"),
}


@pytest.mark.parametrize("name", YAML)
def test_studies(name, tmp_path):
    refused(tmp_path / "study.yaml", StudyConfig.from_yaml, *YAML[name])


def test_a_study_that_is_too_large(tmp_path):
    text = "methods: [avg]\n#" + "x" * 2**21
    message = "has 20971.. bytes, more than the 1048576"
    refused(tmp_path / "study.yaml", StudyConfig.from_yaml, text, message)


def test_few_aliases_are_accepted():
    text = "s: &s {exponent: 1.0}\nmethods: [{method: a, settings: *s}, {method: b, settings: *s}]"
    found = parse_yaml(text)
    assert [entry["settings"] for entry in found["methods"]] == [{"exponent": 1.0}] * 2

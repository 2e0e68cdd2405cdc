"""Mutation testing on a small package; ``python -m benchmarks.faults.mutants`` is the long one."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.code_mutations import mutants_of
from benchmarks.faults.mutant_tests import MutantTests

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x < y", "x <= y"),
        ("x >= y", "x > y"),
        ("x == y", "x != y"),
        ("x is y", "x is not y"),
        ("x in y", "x not in y"),
        ("x + y", "x - y"),
        ("x * y", "x / y"),
        ("x += y", "x -= y"),
        ("x and y", "x or y"),
        ("not x", "x"),
        ("-x", "x"),
        ("abs(x)", "x"),
        ("x.abs()", "x"),
        ("min(x, y)", "max(x, y)"),
        ("x.argmax(0)", "x.argmin(0)"),
        ("np.any(x)", "np.all(x)"),
        ("x[2:y]", "x[:y]"),
        ("x[2:y]", "x[2:]"),
        ("x[2]", "x[3]"),
        ("x[2]", "x[1]"),
        ("f(True)", "f(False)"),
        ("f(1.5)", "f(2.5)"),
        ("f(1e-09)", "f(1e-12)"),
        ("if x:\n    y()", "if not x:\n    y()"),
        ("if x:\n    y()", "if x:\n    pass"),
        ("x if y else z", "x if not y else z"),
        ("while x:\n    break", "while x:\n    pass"),
        ("if x:\n    raise y", "if x:\n    pass"),
        ("def f(x):\n    return x", "def f(x):\n    pass"),
        ("def f(x):\n    x = y", "def f(x):\n    pass"),
        ("x.y = z", "pass"),
        ("@g(z)\ndef f(x):\n    return x", "@lambda whole: whole\ndef f(x):\n    return x"),
    ],
)
def test_changes(source, changed):
    found = [ast.unparse(mutant.tree) for mutant in mutants_of(source)]
    assert changed in found
    assert source not in found


@pytest.mark.parametrize(
    "source",
    [
        '"""Text."""',
        'x = "text"',
        "x: tuple[Literal[1], ...]",
        'y = f"{x + 1}"',
        "if TYPE_CHECKING:\n    import x",
        "class X(Y[1]):\n    '''Text.'''",
        "def f(x: Literal[2]) -> Literal[1]:\n    y = x",
        "@dataclass(order=order)\nclass X:\n    y: int",
        "def __repr__(self):\n    return 1 + 2",
        "raise ValueError(1 + 2)",
    ],
)
def test_what_stays_as_it_is(source):
    found = [mutant.change for mutant in mutants_of(source)]
    assert found == ([f"{source}  ->  nothing"] if source.startswith("raise") else [])


def test_one_change_at_a_time():
    source = "def f(x):\n    if x > 0:\n        x = x + 2\n    return min(x, 1)"
    found = list(mutants_of(source))
    texts = [ast.unparse(mutant.tree) for mutant in mutants_of(source)]
    assert len(set(texts)) == len(texts) == len(found) == 12
    assert found[0].line == 2
    assert {mutant.line for mutant in found} == {2, 3, 4}
    assert "x > 0  ->  x >= 0" in [mutant.change for mutant in found]


MODULE = """
def clip(x: float) -> float:
    return abs(x) if x > -5 else 5


def one() -> int:
    while True:
        break
    return 1
"""
MIRROR = """
from toy_package.part.numbers import clip, one

def test_clip():
    assert clip(-2) == 2
    assert clip(-9) == 5

def test_one():
    assert one() == 1
"""
OTHER = """
from toy_package.part.numbers import clip

def test_clip():
    assert isinstance(clip(-5.0), int)
"""


@pytest.fixture
def toy_package(tmp_path):
    """Folder of a package whose tests miss a few mutants."""
    files = {
        "toy_package/part/numbers.py": MODULE,
        "toy_package/part/other.py": "",
        "tests/part/test_numbers.py": MIRROR,
        "tests/part/test_other.py": "def test_nothing(): pass",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for folder in (path.parent, path.parent.parent):
            (folder / "__init__.py").touch()
    return tmp_path


COMMAND = """
from benchmarks.faults import mutant_tests, mutants
mutant_tests._LEAST_SECONDS = 1
mutants.main()
"""


def search(folder, *words):
    """Exit status, output, and entries of the search on the toy package."""
    words = ("part/numbers", "--package", "toy_package", "--output", "m.jsonl", *words)
    ran = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    path = folder / "m.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return ran, list(map(json.loads, lines))


def outcomes(entries):
    return {f"{each['line']}: {each['change']}": each["outcome"] for each in entries}


@pytest.mark.slow
def test_command(toy_package):
    _, few = search(toy_package, "--most", "3")
    assert len(few) == 3
    ran, entries = search(toy_package)
    assert ran.returncode == 1, ran.stderr
    assert entries[:3] == few  # what is known does not run again
    assert len(entries) == sum(1 for _ in mutants_of(MODULE))
    found = outcomes(entries)
    assert found["3: abs(x)  ->  x"] == "killed"
    assert found["8: break  ->  nothing"] == "timeout"
    assert found["3: x > -5  ->  x >= -5"] == "survived"
    assert "part.numbers:3: x > -5  ->  x >= -5" in ran.stdout

    other = toy_package / "tests" / "part" / "test_other.py"
    other.write_text(OTHER, encoding="utf-8")
    ran, more = search(toy_package, "--again", "--folder")
    assert more[: len(entries)] == entries
    again = {each["key"] for each in more[len(entries) :]}
    assert again == {each["key"] for each in entries if each["outcome"] == "survived"}
    assert outcomes(more)["3: x > -5  ->  x >= -5"] == "killed by others"


def test_tests_that_fail_without_a_change(toy_package):
    mirror = toy_package / "tests" / "part" / "test_numbers.py"
    mirror.write_text("def test_wrong(): assert False", encoding="utf-8")
    ran, entries = search(toy_package)
    assert (ran.returncode, entries) == (1, [])
    assert ran.stderr.startswith("Tests fail without a change: ")


def test_modules(toy_package):
    tests = MutantTests(toy_package, "toy_package")
    folder = toy_package / "toy_package" / "part"
    assert tests.modules(["part"]) == [folder / "numbers.py", folder / "other.py"]
    assert tests.modules(["part/other"]) == [folder / "other.py"]
    with pytest.raises(SystemExit, match="`part/none` is neither a module nor a folder"):
        tests.modules(["part/none"])

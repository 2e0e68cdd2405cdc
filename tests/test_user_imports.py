"""Imports of objects by name: what is wrong with a name, or with the code of its module."""

import pytest

from avalanche_emgd._imports import find_callable


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import math\nmath.nothing", "its module raises AttributeError: module 'math' has no"),
        ("int('x')", "its module raises ValueError: invalid literal"),
        ("raise SystemExit(3)", "its module raises SystemExit: 3"),
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("made = 1", "has no attribute 'make'"),
        ("def makes(): ...", "Did you mean 'makes'"),
        ("make = 1", "is not callable: 1"),
    ],
)
def test_faults_of_a_module(tmp_path, monkeypatch, code, words):
    name = f"own_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"^`method` ") as caught:
        find_callable(f"{name}:make", "method")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [(":make", "it has no module before the colon"), ("math:sin.cos", "has no attribute 'cos'")],
)
def test_wrong_names(name, words):
    with pytest.raises(ValueError, match=words):
        find_callable(name, "method")

import importlib
import sys

import pytest

SOURCE = """
from typing import TYPE_CHECKING
from avalanche_emgd._lazy import make_lazy
if TYPE_CHECKING:
    from .one import value as value, other
    from .same import same
make_lazy(__name__)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "lazily").mkdir()
    for name, text in {
        "__init__": SOURCE,
        "one": "value, other, hidden = 1, 2, 3",
        "same": "same = 4",
        "two": "",
        "_own": "",
    }.items():
        (tmp_path / "lazily" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("lazily", "lazily.one", "lazily.same", "lazily.two"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import lazily

    return lazily


def test_exports_and_submodules_are_loaded_when_first_used(package):
    assert "lazily.one" not in sys.modules
    assert package.value == 1
    assert "lazily.one" in sys.modules
    assert "lazily.two" not in sys.modules
    assert package.two.__name__ == "lazily.two"


def test_names_are_complete_before_they_are_loaded(package):
    names = set(dir(package))
    assert {"value", "other", "one", "same", "two"} <= names
    assert not {"hidden", "_own"} & names


@pytest.mark.parametrize("name", ["hidden", "missing", "_own"])
def test_other_names_are_no_attributes(package, name):
    with pytest.raises(AttributeError, match=f"'lazily' has no attribute '{name}'"):
        getattr(package, name)


def test_an_export_wins_over_the_submodule_of_its_name(package):
    importlib.import_module("lazily.same")
    assert package.same == 4

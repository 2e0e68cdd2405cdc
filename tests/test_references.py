"""The reference and the links of the documents: complete, and of things that are there."""

import importlib
import inspect
import re
from pydoc import locate

import pytest
from typer.testing import CliRunner

from avalanche_emgd.cli import app
from tests.documents import (
    DOCS,
    DOCUMENTS,
    ELSEWHERE,
    PAGES,
    anchors,
    blocks_of,
    name,
    public_names,
    reference,
    without_code,
)


def test_the_reference_has_every_command():
    listed = CliRunner().invoke(app, ["--help"]).output.partition("Commands:\n")[2]
    assert [line.split()[0] for line in listed.splitlines()] == list(reference.COMMANDS)


def test_the_reference_has_every_public_name():
    pages = reference.reference_pages()
    everything = public_names.public_names()
    assert {"avalanche_emgd", "avalanche_emgd.optim", "avalanche_emgd.training"} <= pages.keys()
    for package, names in everything.items():
        module = importlib.import_module(package)
        assert sorted(each.name for each in names) == sorted(module.__all__)
        for each in names:
            assert f":py:obj:`~{each.path}`" in pages[package]
            directive = each.name if each.kind == "data" else each.path
            owner = pages[each.package].splitlines()
            kind = "py:data" if each.kind == "data" else f"auto{each.kind}"
            assert owner.count(f".. {kind}:: {directive}") == 1
    assert list(public_names.undocumented()) == []


def test_an_undocumented_public_name_is_found(monkeypatch):
    package = importlib.import_module("avalanche_emgd.models")
    bare = type("Bare", (), {"__module__": package.__name__, "run": lambda self: None})
    monkeypatch.setattr(package, "__all__", [*package.__all__, "Bare"])
    monkeypatch.setattr(package, "Bare", bare, raising=False)
    public_names.public_names.cache_clear()
    try:
        found = list(public_names.undocumented())
    finally:
        public_names.public_names.cache_clear()
    assert found == ["avalanche_emgd.models.Bare", "avalanche_emgd.models.Bare.run"]


def test_every_page_is_in_one_toctree():
    entries = []
    for block in blocks_of(DOCS / "index.md", r"\{toctree\}"):
        lines = [line for line in block.splitlines() if line and not line.startswith(":")]
        entries += [re.sub(r".*<(.*)>", r"\1", line) for line in lines]
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES} - {"index"}
    assert sorted(entries) == sorted([*pages, "reference/*"])


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path):
    text = without_code(path)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place), target
    for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)>?`", text):
        is_made = target.startswith(("reference/", "../reference/"))
        assert is_made or (path.parent / f"{target}.md").exists(), target
    labels = set().union(*map(anchors, PAGES))
    for target in re.findall(r"\{ref\}`(?:[^`<]*<)?([^`>]+)>?`", text):
        assert target in labels, target


def is_public(target, package=None, owner=None):
    """Whether a reference leads to a public name, or to a member of one."""
    for path in public_names.public_paths(target, package, owner):
        before, _, last = path.rpartition(".")
        kind = locate(before)
        if locate(path) is not None or last in getattr(kind, "__annotations__", {}):
            return True
        if isinstance(kind, type) and f"self.{last}:" in inspect.getsource(kind):
            return True
    return False


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_references_of_pages_are_to_public_names(path):
    for role, target in re.findall(r"\{py:(\w+)\}`~?([^`]+)`", without_code(path)):
        if role == "mod":
            assert target in public_names.public_packages()
        else:
            assert is_public(target), target


def docstrings(each):
    """Yield the docstrings of a public name and, for a class, of its public members."""
    found = [each.doc]
    if each.kind == "class":
        members = [value for name, value in vars(each.value).items() if name[0] != "_"]
        found += [m.__doc__ or "" for m in members if callable(m) or isinstance(m, property)]
    return found


@pytest.mark.parametrize("package", public_names.public_packages())
def test_references_of_docstrings_are_to_public_names(package):
    role = re.compile(r":(class|func|meth|data|attr|mod):`(?:[^`<]*<)?[~.]*([^`>]+)>?`")
    own = [each for each in public_names.public_names()[package] if each.package == package]
    for each in own:
        for doc in docstrings(each):
            owner = each.name if each.kind == "class" else None
            for kind, target in role.findall(doc):
                if kind == "mod":
                    assert target in public_names.public_packages()
                elif target.partition(".")[0] not in ELSEWHERE:
                    assert is_public(target, each.package, owner), (each.path, target)


def test_a_reference_to_an_internal_name_is_found():
    assert is_public("EMGD")
    assert is_public("avalanche_emgd.optim.EMGD.reset")
    assert is_public("objective_loss", "avalanche_emgd.training.peers", "LwFStrategy")
    assert not is_public("nonsense")
    assert not is_public("EMGD.nonsense")
    assert not is_public("avalanche_emgd.experiments.directories.make_directory")


@pytest.mark.parametrize("path", [p for p in PAGES if p.name != "report.md"], ids=name)
def test_a_page_begins_with_an_answer(path):
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    title, answer = text.strip().split("\n\n")[:2]
    assert title.startswith("# ")
    assert re.match(r"[`*\[-]*\w", answer), "a paragraph stands below the title"
    assert not answer.startswith("#")

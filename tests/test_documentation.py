"""The documents as files: Python that runs, links that lead somewhere, no missing public name."""

import importlib
import inspect
import re
import shlex
import sys
from pathlib import Path
from pydoc import locate

import pytest
import torch
from typer.testing import CliRunner

from avalanche_emgd import ps_digits
from avalanche_emgd.cli import app
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.gradients import unfit_for_fusing
from avalanche_emgd.models import MLP

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_extensions"))
public_names = importlib.import_module("public_names")
reference = importlib.import_module("reference")
sys.path.pop(0)

PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
# Tutorials are run by the build of the documentation.
WITH_PYTHON = [p for p in PAGES if "```python\n" in p.read_text(encoding="utf-8")]
DOCUMENTS = [*PAGES, *ROOT.glob("*.md"), *(ROOT / "benchmarks").rglob("*.md")]

# Names of other projects are not looked up; docs/conf.py has the same list.
ELSEWHERE = {"avalanche", "torch", "torchjd", "torchvision", "numpy", "pandas", "matplotlib"}


def name(path):
    return path.relative_to(ROOT).as_posix()


def blocks_of(path, language):
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def without_blocks(path):
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def without_code(path):
    """Remove blocks of code and inline code from a text, and keep roles of MyST."""
    code = r"(\{[\w:]+\})?(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\2(?!`)"
    return re.sub(code, lambda m: m[0] if m[1] else "", without_blocks(path), flags=re.DOTALL)


def anchors(path):
    """Return the anchors of headings, as GitHub and MyST make them, and explicit anchors."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r"^\((.*)\)=\n#", text, re.MULTILINE))  # of a heading


@pytest.mark.parametrize("path", [ROOT / "README.md", *WITH_PYTHON], ids=name)
def test_python_blocks_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks_of(path, "python"):
        exec(block, names)
    outcome = OUTCOMES.get(name(path))
    if outcome is not None:
        outcome(names, tmp_path)


def check_readme(names, folder):
    assert names["gradient"].shape == (5,)
    assert names["strategy"].clock.train_exp_counter == len(names["benchmark"].train_stream)


def check_get_started(names, folder):
    assert set(names["results"]) >= {"A_e", "A_ebar", "F_ebar"}
    assert names["gradient"].shape == (5,)
    assert list((folder / "tb").iterdir())


def check_own_data(names, folder):
    assert (folder / "timeline.png").exists()
    assert names["benchmark"].timeline.num_tasks == 3
    assert names["by_site"].task_names == ("north", "south")
    page = DOCS / "how_to" / "own_data.md"
    (model,) = (block for block in blocks_of(page, "python") if "def bag_of_words" in block)
    (folder / "texts.py").write_text(model)
    commands = "".join(blocks_of(page, "sh")).replace("\\\n", "").splitlines()
    commands = [line for line in commands if "--images DIR" not in line]
    assert len(commands) == 4
    sys.path.insert(0, str(folder))
    for command in commands:
        words = shlex.split(command.partition("avalanche-emgd ")[2])
        result = CliRunner().invoke(app, [*words, "--quiet"])
        assert result.exit_code == 0, result.output
    sys.path.pop(0)


def check_own_model(names, folder):
    assert unfit_for_fusing(names["strategy"].model) is None  # its layers have rules
    layer, x = names["Scale"](4), torch.randn(3, 4)
    (expected,) = torch.autograd.grad(layer(x).square().sum(), layer.weight)
    found = names["scale_rule"](layer, x, 2.0 * layer(x).detach())
    torch.testing.assert_close(found["weight"], expected)
    assert names["small"](10, (1, 8, 8))(torch.randn(2, 1, 8, 8)).shape == (2, 10)


def check_own_weighting(names, folder):
    assert names["first"].tolist() == [0.5, 0.5]
    torch.testing.assert_close(names["second"].tolist(), [1 / 3, 2 / 3])


def check_studies(names, folder):
    assert len(names["study"].runs()) == 12


def check_checkpoints(names, folder):
    strategy, benchmark = names["strategy"], names["benchmark"]
    assert strategy.clock.train_iterations == sum(len(e.ticks) for e in benchmark.train_stream)
    assert (folder / "run.pt").is_file()


OUTCOMES = {
    "README.md": check_readme,
    "docs/get_started.md": check_get_started,
    "docs/how_to/own_data.md": check_own_data,
    "docs/how_to/own_model.md": check_own_model,
    "docs/how_to/own_weighting.md": check_own_weighting,
    "docs/how_to/studies.md": check_studies,
    "docs/how_to/checkpoints.md": check_checkpoints,
}


def test_outcomes_are_of_pages():
    assert OUTCOMES.keys() <= {name(path) for path in [ROOT / "README.md", *WITH_PYTHON]}


def test_a_user_defined_method(tmp_path, monkeypatch):
    page = DOCS / "how_to" / "own_method.md"
    (block,) = blocks_of(page, "python")
    assert len([line for line in block.splitlines() if line]) <= 10
    (tmp_path / "mine.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    (study,) = blocks_of(page, "yaml")
    (tmp_path / "study.yaml").write_text(study)
    choices = StudyConfig.from_yaml(tmp_path / "study.yaml").methods
    assert [choice.label for choice in choices] == ["avg", "directions", "cagrad-0.2"]
    benchmark = ps_digits(num_tasks=2, batch_size=32)
    model = MLP(benchmark.num_classes, in_features=64)
    strategy = importlib.import_module("mine").normalised(
        model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), memory_size=10
    )
    strategy.train(benchmark.train_stream)
    shares = strategy.weights * strategy.gramian.diagonal().sqrt()
    torch.testing.assert_close(shares, shares[:1].expand(len(shares)))


def test_a_grid_makes_four_methods(tmp_path):
    study, with_ingredients = blocks_of(DOCS / "how_to" / "studies.md", "yaml")
    (tmp_path / "study.yaml").write_text(study)
    assert len(StudyConfig.from_yaml(tmp_path / "study.yaml").methods) == 1 + 4
    (tmp_path / "study.yaml").write_text(with_ingredients)
    choices = StudyConfig.from_yaml(tmp_path / "study.yaml").methods
    assert [choice.settings["competition"] for choice in choices] == [0.5, 0.5, 0.5, 0.0]


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


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_figures_are_those_of_the_script(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "figures")
    draw = importlib.import_module("draw")
    monkeypatch.setattr(draw, "FOLDER", tmp_path)
    draw.main()
    drawn = {file.name for file in tmp_path.iterdir()}
    assert drawn == {file.name for file in (DOCS / "figures").glob("*.svg")}

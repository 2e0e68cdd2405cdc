"""Imports in a fresh interpreter, and exports of packages."""

import ast
import importlib
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import avalanche_emgd

PACKAGES = [
    "avalanche_emgd",
    *(
        f"avalanche_emgd.{name}"
        for name in (
            "benchmarks",
            "benchmarks.live",
            "distributed",
            "evaluation",
            "experiments",
            "experiments.sweep",
            "gradients",
            "models",
            "optim",
            "optim.dual",
            "optim.peers",
            "training",
            "training.editing",
            "training.ingredients",
            "training.peers",
            "training.plugins",
            "training.state",
        )
    ),
]
HEAVY = {
    *("torch", "torchjd", "numpy", "scipy", "avalanche", "torchvision", "matplotlib", "sklearn"),
    *("tensorboard", "pandas", "dask", "distributed"),
}


STEPS = """
import sys, traceback
for step in {steps!r}:
    before = set(sys.modules)
    try:
        exec(step, {{}})
        failure = ""
    except Exception:
        failure = traceback.format_exc()
    loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
    print("STEP", [sorted(loaded), failure])
"""


@cache
def loaded_by(steps):
    """Run pieces of code one after the other in a fresh interpreter.

    :return: names of the top-level modules of which each piece is the first to load any.
    """
    command = [sys.executable, "-c", STEPS.format(steps=steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    printed = [line for line in done.stdout.splitlines() if line.startswith("STEP ")]
    found = [ast.literal_eval(line.removeprefix("STEP ")) for line in printed]
    assert len(found) == len(steps)
    assert [failure for _, failure in found if failure] == []
    return dict(zip(steps, [set(loaded) for loaded, _ in found], strict=True))


def called(*arguments):
    """Return code that runs the command and continues for any exit status."""
    return (
        "from avalanche_emgd.cli import app\n"
        f"try: app({list(arguments)!r})\nexcept SystemExit: pass"
    )


WORDS = (
    "import avalanche_emgd, avalanche_emgd.training",
    "import avalanche_emgd.optim",
    "import avalanche_emgd.gradients",
    called("--help"),
    called("--version"),
    called("methods"),
    called("train", "--help"),
    called("train", "--nonsense"),
    called("train", "--output", "/nowhere/run", "--tasks", "0"),
    called("train", "--output", "/nowhere/run", "--method", "emgd-gcm"),
    called("train", "--output", "/nowhere/run", "--benchmark", "ps-emnist"),
    called("train", "--output", "/nowhere/run", "--npz", "/nowhere.npz"),
    called("compare", "--output", "/nowhere/run", "--methods", "agv"),
    called("compare", "--output", "/nowhere/run", "--config", "/nowhere.yaml"),
    called("compare", "--output", "/nowhere/run", "--methods", "avg", "--workers", "0"),
    called("report", "/nowhere"),
)


@pytest.mark.parametrize("code", WORDS)
def test_words_need_no_torch(code):
    assert not loaded_by(WORDS)[code] & HEAVY


def test_python_m_and_the_command_are_the_same():
    outputs = []
    for code in (("-m", "avalanche_emgd"), ("-c", called("--help"))):
        more = ("--help",) if code[0] == "-m" else ()
        command = [sys.executable, *code, *more]
        outputs.append(subprocess.run(command, capture_output=True, text=True).stdout)
    assert "python -m avalanche_emgd" in outputs[0]
    lines = [output.splitlines()[1:] for output in outputs]
    assert lines[0] == lines[1] != []


def all_modules(package):
    """Return code that imports the modules of a package, also those that no export needs."""
    root = Path(importlib.import_module(f"avalanche_emgd.{package}").__file__).parent
    names = [file.stem for file in root.glob("*.py") if file.stem != "__init__"]
    return "\n".join(f"import avalanche_emgd.{package}.{name}" for name in names)


# What needs least comes first: a step is charged with what no step before it has loaded.
MATHEMATICS = {
    "torch": "import torch, numpy",
    "attributes": "import avalanche_emgd as a; a.optim.dual.solve_dual; a.gradients.PlainEngine",
    "dual": "import torch\nfrom avalanche_emgd.optim.dual import *\nsolve_dual(torch.eye(2))",
    "all of dual": all_modules("optim.dual"),
    "gradients": "from avalanche_emgd.gradients import *\nPlainEngine(), FusedEngine()",
    "all of gradients": all_modules("gradients"),
    "optim": (
        "from avalanche_emgd.optim import *\nfrom avalanche_emgd.optim.peers import *\n"
        "EMGDWeighting('gs')"
    ),
    "all of optim": all_modules("optim"),
}


@pytest.mark.parametrize("step", MATHEMATICS)
def test_the_mathematics_needs_torch_and_torchjd_only(step):
    needed = {"torch": {"torch"}, "optim": {"torchjd"}}.get(step, set())
    loaded = loaded_by(tuple(MATHEMATICS.values()))[MATHEMATICS[step]]
    assert loaded & (HEAVY - {"numpy", "scipy"}) == needed


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_exports_what_it_says(name):
    package = importlib.import_module(name)
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = [alias.name for line in block.body for alias in line.names]
    assert sorted(imported) == sorted(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    for export in package.__all__:
        assert not isinstance(getattr(package, export), ModuleType)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        package.nonsense  # noqa: B018


def test_every_package_with_exports_is_lazy():
    root = Path(avalanche_emgd.__file__).parent
    files = root.rglob("__init__.py")
    found = {file.parent for file in files if "make_lazy(__name__)" in file.read_text()}
    assert found == {Path(importlib.import_module(name).__file__).parent for name in PACKAGES}


def test_an_export_comes_before_a_submodule_of_its_name():
    for name in ("avalanche_emgd.evaluation.accuracy", "avalanche_emgd.experiments.run"):
        package, _, export = name.rpartition(".")
        importlib.import_module(name)
        assert isinstance(getattr(importlib.import_module(package), export), FunctionType)

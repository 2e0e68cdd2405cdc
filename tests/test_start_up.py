"""Imports in a fresh interpreter, and exports of packages."""

import ast
import importlib
import subprocess
import sys
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
BESIDE_TORCH = HEAVY - {"torch", "torchjd", "numpy", "scipy"}


def loaded_after(code):
    """Return the names of the top-level modules that a fresh interpreter loads for some code."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def called(*arguments):
    """Return code that runs the command and continues for any exit status."""
    return (
        "from avalanche_emgd.cli import app\n"
        f"try: app({list(arguments)!r})\nexcept SystemExit: pass"
    )


@pytest.mark.parametrize(
    "code",
    [
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
    ],
)
def test_words_need_no_torch(code):
    assert not loaded_after(code) & HEAVY


def test_python_m_and_the_command_are_the_same():
    outputs = []
    for code in (("-m", "avalanche_emgd"), ("-c", called("--help"))):
        more = ("--help",) if code[0] == "-m" else ()
        command = [sys.executable, *code, *more]
        outputs.append(subprocess.run(command, capture_output=True, text=True).stdout)
    assert "python -m avalanche_emgd" in outputs[0]
    lines = [output.splitlines()[1:] for output in outputs]
    assert lines[0] == lines[1] != []


USE = {
    "optim": (
        "from avalanche_emgd.optim import *\nfrom avalanche_emgd.optim.peers import *\n"
        "EMGDWeighting('gs')"
    ),
    "dual": "import torch\nfrom avalanche_emgd.optim.dual import *\nsolve_dual(torch.eye(2))",
    "gradients": "from avalanche_emgd.gradients import *\nPlainEngine(), FusedEngine()",
}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        (USE["optim"], {"torch", "torchjd"}),
        (USE["dual"], {"torch"}),
        (USE["gradients"], {"torch"}),
    ],
    ids=USE,
)
def test_the_mathematics_needs_torch_and_torchjd_only(code, needed):
    assert loaded_after(code) & (HEAVY - {"numpy", "scipy"}) == needed


@pytest.mark.parametrize("package", ["optim", "optim.dual", "gradients"])
def test_all_modules_of_the_mathematics_need_no_avalanche(package):
    """Also those that no export needs."""
    root = Path(importlib.import_module(f"avalanche_emgd.{package}").__file__).parent
    names = [file.stem for file in root.glob("*.py") if file.stem != "__init__"]
    lines = [f"import avalanche_emgd.{package}.{name}" for name in names]
    loaded = loaded_after("\n".join(lines))
    assert "torch" in loaded
    assert not loaded & BESIDE_TORCH
    assert ("torchjd" in loaded) == (package == "optim")


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


def test_submodules_are_attributes_without_being_imported():
    code = "import avalanche_emgd as a; a.training.peers.LwFStrategy; a.optim.dual.solve_dual"
    assert "avalanche" in loaded_after(code)

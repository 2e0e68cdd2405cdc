"""Imports between the modules of the package: downwards, of public names, and in no circle."""

import ast
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import avalanche_emgd

# From top to bottom: a package imports those below it only. Public modules of the root (`__init__`,
# `__main__`) stand above them all, its private modules below them all.
ORDER = (
    *("cli", "experiments", "training", "evaluation", "models", "benchmarks"),
    *("distributed", "optim", "gradients"),
)


@dataclass(frozen=True)
class Import:
    """An import of one name.

    :param module: dotted name of the importing module, without that of the root.
    :param target: dotted name of what is imported.
    :param is_early: whether it happens as soon as the module is imported.
    """

    module: str
    target: str
    is_early: bool

    @property
    def packages(self):
        """Top-level packages of both; that of a module of the root is the module itself."""
        return self.module.partition(".")[0], self.target.partition(".")[0]


def modules_in(root):
    """Files of the modules of a package, by dotted name without that of the root."""
    found = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports_in(root):
    """All imports of a package's own modules and names, wherever they stand in its files."""
    modules = modules_in(root)
    for module, file in modules.items():
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        yield from _imports_under(ast.parse(file.read_text("utf-8")), module, package, root, True)


def _imports_under(node, module, package, root, is_early):
    for child in ast.iter_child_nodes(node):
        is_late = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        early = is_early and not is_late and not is_typing
        if isinstance(child, ast.ImportFrom):
            base = _base(child, package, root)
            for alias in child.names if base is not None else ():
                yield Import(module, ".".join(filter(None, (base, alias.name))), early)
        elif isinstance(child, ast.Import):
            for alias in child.names:
                name, _, rest = alias.name.partition(".")
                if name == root.name and rest:
                    yield Import(module, rest, early)
        yield from _imports_under(child, module, package, root, early)


def _base(node, package, root):
    """Dotted name of the module that names are imported from; ``None`` for other libraries'."""
    if node.level:
        parts = package.split(".") if package else []
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *filter(None, [node.module])])
    name, _, rest = node.module.partition(".")
    return rest if name == root.name else None


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_across_packages(root):
    """Imports of private modules and names of another package; those of the root belong to all."""
    found = []
    for each in imports_in(root):
        package, other = each.packages
        parts = each.target.split(".")
        own = parts[1:] if is_private(parts[0]) else parts
        if package != other and any(map(is_private, own)):
            found.append(each)
    return found


def upward(root, order):
    """Imports of a package from one below it, and of any package from a private root module."""
    rank = {name: place for place, name in enumerate(order)}
    found = []
    for each in imports_in(root):
        package, other = each.packages
        if package == other or other not in rank:
            continue
        below = rank.get(package, len(order) if is_private(package) else -1)
        if below > rank[other]:
            found.append(each)
    return found


def circle(root):
    """Modules that import each other in a circle as soon as they are imported, or ``None``."""
    modules = modules_in(root)
    graph = {module: set() for module in modules}
    for each in imports_in(root):
        if not each.is_early:
            continue
        target = each.target if each.target in modules else each.target.rpartition(".")[0]
        # With a module, the packages that it is in are imported; one's own are so already.
        while target:
            if target != each.module and not f"{each.module}.".startswith(f"{target}."):
                graph[each.module].add(target)
            target = target.rpartition(".")[0]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


ROOT = Path(avalanche_emgd.__file__).parent


def test_every_package_has_its_place_in_the_order():
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == set(ORDER)


def test_nothing_private_is_imported_across_packages():
    assert private_across_packages(ROOT) == []


def test_no_import_goes_upwards():
    assert upward(ROOT, ORDER) == []


def test_no_imports_go_in_a_circle():
    assert circle(ROOT) is None


def package_of(tmp_path, files):
    """A package of two layers, with ``top`` above ``base``, whose files hold the given lines."""
    root = tmp_path / "example"
    for name in ("__init__", "_helper", "top/__init__", "top/a", "base/__init__", "base/b"):
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, ""))
    return root


@pytest.mark.parametrize(
    "files",
    [
        {"top/a": "from ..base.b import name"},
        {"top/a": "from .._helper import name\nfrom ._private import name"},
        {"top/a": "from . import b\nimport torch._C\nfrom torch._C import name"},
        {"base/b": "def f():\n    from .c import name", "base/__init__": "from . import b"},
        {"__init__": "from .top import a", "top/a": "import example.base.b"},
        {"base/b": "from .c import x", "base/c": "def f():\n    from .b import y"},
    ],
)
def test_imports_that_are_right(tmp_path, files):
    root = package_of(tmp_path, files)
    assert private_across_packages(root) == []
    assert upward(root, ("top", "base")) == []
    assert circle(root) is None


@pytest.mark.parametrize(
    "line",
    [
        "from ..base._private import name",
        "from ..base.b import _name",
        "from ..base import _private",
        "import example.base._private",
        "from example.base.b import _name",
        "from .._helper import _name",
        "def f():\n    from ..base._private import name",
        "if TYPE_CHECKING:\n    from ..base._private import Name",
    ],
)
def test_private_imports_are_found(tmp_path, line):
    (found,) = private_across_packages(package_of(tmp_path, {"top/a": line}))
    assert found.module == "top.a"


@pytest.mark.parametrize("module", ["base/b", "_helper"])
@pytest.mark.parametrize("line", ["from {}top.a import name", "def f():\n    from {}top import a"])
def test_upward_imports_are_found(tmp_path, module, line):
    dots = ".." if "/" in module else "."
    root = package_of(tmp_path, {module: line.format(dots)})
    (found,) = upward(root, ("top", "base"))
    assert found.target.startswith("top.a")


@pytest.mark.parametrize(
    "files",
    [
        {"top/a": "from ..base.b import x", "base/b": "from ..top.a import y"},
        {"top/a": "from ..base import b", "base/b": "from ..top import a"},
        {"top/a": "from ..base.b import x", "base/__init__": "from ..top.a import y"},
        {"top/a": "try:\n    from ..base import b\nexcept ImportError:\n    from ..base import b"}
        | {"base/b": "class B:\n    from ..top.a import y"},
    ],
)
def test_circles_are_found(tmp_path, files):
    assert {"top.a"} < set(circle(package_of(tmp_path, files)))

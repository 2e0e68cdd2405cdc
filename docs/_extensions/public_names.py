"""The public names of the package, read from the ``__all__`` of its packages."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["PublicName", "public_names", "public_packages", "public_paths", "undocumented"]

ROOT = "avalanche_emgd"
# Words of the command line: `avalanche-emgd --help` is their reference.
NOT_FOR_PYTHON = {f"{ROOT}.cli"}
# A module that users of a package set values of is public by itself.
MODULES = (f"{ROOT}.benchmarks.limits",)


@dataclass(frozen=True)
class PublicName:
    """A name in the ``__all__`` of a public package.

    :param package: name of the package that documents it.
    :param name: name as in ``__all__``.
    :param module: name of the module that defines it.
    """

    package: str
    name: str
    module: str

    @property
    def path(self) -> str:
        """Path by which users import it."""
        return f"{self.package}.{self.name}"

    @cached_property
    def value(self) -> Any:
        """The object itself."""
        return getattr(importlib.import_module(self.package), self.name)

    @property
    def kind(self) -> str:
        """Kind of directive that documents it: ``class``, ``function`` or ``data``."""
        if inspect.isclass(self.value):
            return "class"
        return "function" if inspect.isroutine(self.value) else "data"

    @cached_property
    def doc(self) -> str:
        """Docstring of its own, dedented; for data, the string below the assignment."""
        if self.kind == "class":
            return inspect.cleandoc(vars(self.value).get("__doc__") or "")
        if self.kind == "function":
            return inspect.getdoc(self.value) or ""
        return _doc_of_data(self.module, self.name)

    @property
    def summary(self) -> str:
        """First sentence of the docstring, in one line."""
        return " ".join(self.doc.partition("\n\n")[0].split())


def public_packages() -> list[str]:
    """Names of the packages, and of few modules, whose ``__all__`` is the public interface."""
    root = importlib.import_module(ROOT)
    found = [ROOT, *MODULES]
    for each in pkgutil.walk_packages(root.__path__, f"{ROOT}."):
        is_public = not any(part.startswith("_") for part in each.name.split("."))
        if each.ispkg and is_public and each.name not in NOT_FOR_PYTHON:
            found.append(each.name)
    return sorted(name for name in found if hasattr(importlib.import_module(name), "__all__"))


@cache
def public_names() -> dict[str, list[PublicName]]:
    """Public names by package; a name that two packages export belongs to the nearer one."""
    packages = {name: importlib.import_module(name) for name in public_packages()}
    modules = {name: _defining_modules(package) for name, package in packages.items()}
    exporters: dict[tuple[str, str], list[str]] = {}
    for package, module in packages.items():
        for name in module.__all__:
            defined = modules[package].get(name, package)
            exporters.setdefault((name, _origin(modules, defined, name)), []).append(package)
    owner = {key: max(found, key=len) for key, found in exporters.items()}
    return {
        package: [
            PublicName(owner[key], name, key[1])
            for name in sorted(module.__all__, key=str.lower)
            for key in [(name, _origin(modules, modules[package].get(name, package), name))]
        ]
        for package, module in packages.items()
    }


def public_paths(target: str, package: str | None = None, owner: str | None = None) -> list[str]:
    """Documented paths that a reference can mean, the likeliest first.

    :param target: a public name, with or without its module, and perhaps with a member.
    :param package: package of the reference.
    :param owner: name of the class in whose docstring it stands: ``target`` may be its member.
    """
    known = _known()
    found = []
    if owner is not None and f"{package}.{owner}" in known:
        bases = known[f"{package}.{owner}"].value.__mro__
        by_value = {id(each.value): each.path for each in known.values()}
        found += [f"{by_value[id(base)]}.{target}" for base in bases if id(base) in by_value]
    if target in known:
        found.append(known[target].path)
    before, _, member = target.rpartition(".")
    if before in known:
        found.append(f"{known[before].path}.{member}")
    return found


@cache
def _known() -> dict[str, PublicName]:
    """Public names by all of their paths, and by themselves."""
    found = {}
    for package, names in public_names().items():
        for each in names:
            for path in (each.name, f"{package}.{each.name}", f"{each.module}.{each.name}"):
                found[path] = each
    return found


def undocumented() -> Iterator[str]:
    """Paths of public names, methods and properties without a docstring of their own."""
    for names in public_names().values():
        for each in names:
            if each.name.startswith("__"):
                continue
            if not each.doc:
                yield each.path
            if each.kind != "class" or not each.value.__module__.startswith(ROOT):
                continue
            for member, value in vars(each.value).items():
                is_own = inspect.isroutine(value) or isinstance(value, property)
                if is_own and not member.startswith("_") and not inspect.getdoc(value):
                    yield f"{each.path}.{member}"


def _origin(modules: dict[str, dict[str, str]], module: str, name: str) -> str:
    """Find the module that defines a name, also where a public package imports it from another."""
    while module in modules and name in modules[module]:
        module = modules[module][name]
    return module


def _defining_modules(package: ModuleType) -> dict[str, str]:
    """Modules from which a package imports its names, at once or under ``TYPE_CHECKING``."""
    imports = _relative_imports(package.__name__, is_package=hasattr(package, "__path__"))
    return {name: module for name, module in imports.items() if name in package.__all__}


def _relative_imports(module: str, *, is_package: bool) -> dict[str, str]:
    parts = module.split(".")
    found = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            parent = parts[: len(parts) + is_package - node.level]
            for name in node.names:
                found[name.asname or name.name] = ".".join(filter(None, [*parent, node.module]))
    return found


@cache
def _tree(module: str) -> ast.Module:
    file = importlib.import_module(module).__file__
    return ast.parse(Path(str(file)).read_text(encoding="utf-8"))


def _doc_of_data(module: str, name: str) -> str:
    for node, after in pairwise(_tree(module).body):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if name in names and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    above = _relative_imports(module, is_package=False).get(name)
    return "" if above is None else _doc_of_data(above, name)

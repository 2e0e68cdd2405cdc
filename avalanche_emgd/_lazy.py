"""Packages that import their exports at the first use."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

__all__ = ["make_lazy"]


def make_lazy(package: str) -> None:
    """Make a package import its exports, and its public submodules, at their first use (PEP 562).

    The exports are the relative imports that stand under ``if TYPE_CHECKING:`` in the
    ``__init__.py`` of the package: editors and type checkers read the same lines.

    :param package: name of the package: ``__name__`` in its ``__init__.py``, whose last statement
        is this call.
    """
    module = sys.modules[package]
    source = module.__spec__.loader.get_source(package)  # type: ignore[union-attr]
    module.__dict__["_exports"] = dict(_imports(ast.parse(source)))
    module.__class__ = _LazyPackage


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each name imported under ``if TYPE_CHECKING:``, with its module."""
    for block in tree.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                if isinstance(line, ast.ImportFrom):
                    for name in line.names:
                        yield name.asname or name.name, f".{line.module}"


class _LazyPackage(ModuleType):
    _exports: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        if name in self._exports:
            value = getattr(import_module(self._exports[name], self.__name__), name)
        elif not name.startswith("_") and find_spec(f"{self.__name__}.{name}") is not None:
            value = import_module(f"{self.__name__}.{name}")
        else:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Python sets a submodule as an attribute of its package once the submodule is loaded. An
        # export of the same name keeps precedence, as in a package that imports eagerly.
        if not (isinstance(value, ModuleType) and name in self._exports):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        submodules = {each.name for each in iter_modules(self.__path__) if each.name[0] != "_"}
        special = {name for name in self.__dict__ if name.startswith("__")}
        return sorted(special | set(self._exports) | submodules)

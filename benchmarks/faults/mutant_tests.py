"""Tests of a package, run in forks in which a mutant replaces one of its modules."""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

__all__ = ["PASSED", "MutantTests"]

PASSED, TIMEOUT = 0, -1
# What a verdict does not need takes longer than many tests: explanations and looks for garbage.
_OPTIONS = (
    *("-x", "-q", "--assert=plain", "-p", "_hypothesis_pytestplugin"),
    *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
)
_PATIENCE, _LEAST_SECONDS, _MOST_SECONDS = 4.0, 5, 1800
_MEMORY = 4 * 2**30


class _Instead(MetaPathFinder, Loader):
    """Import of a module from a tree instead of its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        tree = ast.fix_missing_locations(self.tree)
        exec(compile(tree, str(self.path), "exec"), module.__dict__)


class MutantTests:
    """Tests in ``tests`` that mirror the modules of a package.

    :param root: folder of the package and of ``tests``.
    :param package: name of the package.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.root, self.package = root, package
        self._limits: dict[tuple[Path, ...], int] = {}

    def modules(self, chosen: Sequence[str]) -> list[Path]:
        """Return the modules that tests mirror.

        :param chosen: files or folders of the package, such as ``optim/dual``.
        :raises SystemExit: if there is no such file or folder.
        """
        found: list[Path] = []
        for each in chosen:
            place = self.root / self.package / each
            files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
            if not any(map(Path.is_file, files)):
                raise SystemExit(f"`{each}` is neither a module nor a folder of {self.package}.")
            found += [path for path in files if self.mirror(path).is_file()]
        return found

    def name_of(self, path: Path) -> str:
        """Return the name under which a file is imported."""
        return ".".join(path.relative_to(self.root).with_suffix("").parts)

    def mirror(self, path: Path) -> Path:
        """Return the file of tests that mirrors a module."""
        folder = path.relative_to(self.root / self.package).parent
        return self.root / "tests" / folder / f"test_{path.stem.lstrip('_')}.py"

    def others(self, path: Path) -> list[Path]:
        """Return the other files of the folder of ``tests`` with the mirror, the nearest first."""
        mirror = self.mirror(path)
        top = self.root / "tests" / mirror.relative_to(self.root / "tests").parts[0]
        files = [each for each in top.rglob("test_*.py") if each != mirror]
        return sorted(files, key=lambda each: (each.parent != mirror.parent, each))

    def run(self, path: Path, tree: ast.Module, files: Sequence[Path]) -> int:
        """Run tests in a fork with a module changed, until the first one fails.

        :param path: file of the module.
        :param tree: its changed code.
        :param files: files of tests.
        :return: 0 if all pass, 1 if one fails, or -1 if they take too long.
        :raises SystemExit: if they fail without the change.
        """
        key = tuple(files)
        if key not in self._limits:
            self._import_and_forget([path, *files])
            status, seconds = self._fork(path, None, files, _MOST_SECONDS)
            if status != PASSED:
                raise SystemExit(f"Tests fail without a change: {' '.join(map(str, files))}.")
            self._limits[key] = max(_LEAST_SECONDS, math.ceil(_PATIENCE * seconds))
        return self._fork(path, tree, files, self._limits[key])[0]

    def _import_and_forget(self, files: Sequence[Path]) -> None:
        """Import the libraries of files for the forks, but not the package and the tests."""
        conftest = self.root / "tests" / "conftest.py"
        for each in (*files, *([conftest] if conftest.is_file() else [])):
            importlib.import_module(self.name_of(each))
        own = (self.package, "tests")
        for name in [each for each in sys.modules if each.partition(".")[0] in own]:
            del sys.modules[name]
        gc.collect()
        gc.freeze()  # collections in forks would copy every page

    def _fork(
        self, path: Path, tree: ast.Module | None, files: Sequence[Path], seconds: int
    ) -> tuple[int, float]:
        """Exit status as of :meth:`run`, and seconds of the processor."""
        child = os.fork()
        if child == 0:
            self._run_here(path, tree, files, seconds)
        ends = time.monotonic() + _MOST_SECONDS
        while True:
            done, status, used = os.wait4(child, os.WNOHANG)
            if done:
                break
            if time.monotonic() > ends:
                os.killpg(child, signal.SIGKILL)
            time.sleep(0.01)
        code = os.waitstatus_to_exitcode(status)
        is_late = code in (-signal.SIGXCPU, -signal.SIGKILL)
        return TIMEOUT if is_late else min(abs(code), 1), used.ru_utime + used.ru_stime

    def _run_here(
        self, path: Path, tree: ast.Module | None, files: Sequence[Path], seconds: int
    ) -> None:
        status = 1
        try:
            os.setsid()
            sink = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(sink, stream)
            # Limits of the processor's time do not depend on what else the machine does.
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (_memory() + _MEMORY,) * 2)
            if tree is not None:
                sys.meta_path.insert(0, _Instead(self.name_of(path), path, tree))
            status = int(pytest.main([*_OPTIONS, f"--rootdir={self.root}", *map(str, files)]))
        finally:
            os._exit(status)


def _memory() -> int:
    """Bytes of this process's address space."""
    pages = Path("/proc/self/statm")
    return resource.getpagesize() * int(pages.read_text().split()[0]) if pages.is_file() else 2**46

"""Mutation testing of the mathematics: small changes of its code, and whether tests notice them.

    python -m benchmarks.faults.mutants --output mutants.jsonl              # all
    python -m benchmarks.faults.mutants --output m.jsonl --most 40          # 40 of each module
    python -m benchmarks.faults.mutants --output m.jsonl optim/dual         # modules of a folder
    python -m benchmarks.faults.mutants --output m.jsonl --again            # survivors once more
    python -m benchmarks.faults.mutants --output m.jsonl --again --folder   # ... by more tests

A mutant is a module with one change. The tests that mirror the module run with it, with `--folder`
the other tests of `tests/optim` or `tests/gradients`, too. A test that fails, or that takes four
times as long as without the change, kills the mutant. Each mutant is a line of the output; a
command that is called again goes on after the last one. The exit status is 1 if there are
survivors.

The tests run in forks of a process that has imported everything but the package. Libraries for
mutation testing leave out decorated functions (mutmut) or import PyTorch again for each mutant
(cosmic-ray).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from .code_mutations import Mutant, mutants_of
from .mutant_tests import PASSED, MutantTests

MODULES = ("optim", "gradients")
OUTCOMES = ("killed", "killed by others", "timeout", "survived")


class Search:
    """Mutants of modules, with an outcome for each.

    :param tests: tests of the package.
    :param output: file of JSON lines, to read and to add to.
    :param most: mutants to draw for each module; all if omitted.
    :param seed: seed of the draw.
    :param again: whether survivors of the file run once more.
    :param folder: whether survivors meet the tests of the whole folder, too.
    """

    def __init__(
        self,
        tests: MutantTests,
        output: Path,
        most: int | None = None,
        seed: int = 0,
        again: bool = False,
        folder: bool = False,
    ) -> None:
        self.tests, self.output, self.most, self.seed = tests, output, most, seed
        self.folder = folder
        lines = output.read_text(encoding="utf-8").splitlines() if output.is_file() else []
        known = {each["key"]: each for each in map(json.loads, lines)}
        self.known = {
            key: each for key, each in known.items() if not again or each["outcome"] != "survived"
        }

    def module(self, path: Path) -> tuple[list[dict[str, Any]], int]:
        """Return an entry for each mutant that is drawn, and the number of all.

        :param path: file of the module.
        """
        module = self.tests.name_of(path).partition(".")[2]
        source = path.read_text(encoding="utf-8")
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        count = sum(1 for _ in mutants_of(source))
        drawn = set(range(count))
        if self.most is not None and self.most < count:
            drawn = set(random.Random(f"{self.seed} {module}").sample(range(count), self.most))
        found, seen = [], Counter[str]()
        for number, mutant in enumerate(mutants_of(source)):
            key = f"{module}:{mutant.line}: {mutant.change}"
            seen[key] += 1
            if number not in drawn:
                continue
            key = f"{digest} {seen[key]} {key}"
            if key not in self.known:
                entry = {"key": key, "module": module, "line": mutant.line, "change": mutant.change}
                self.known[key] = {**entry, "outcome": self._outcome(path, mutant)}
                with self.output.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(self.known[key], ensure_ascii=False) + "\n")
            found.append(self.known[key])
        return found, count

    def _outcome(self, path: Path, mutant: Mutant) -> str:
        groups = {"killed": [self.tests.mirror(path)]}
        if self.folder:
            groups["killed by others"] = self.tests.others(path)
        for outcome, files in groups.items():
            status = self.tests.run(path, mutant.tree, files)
            if status != PASSED:
                return outcome if status > PASSED else "timeout"
        return "survived"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", help="modules or folders of the package")
    parser.add_argument("--output", type=Path, required=True, help="file of JSON lines")
    parser.add_argument("--most", type=int, help="mutants to draw for each module; all if omitted")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--again", action="store_true", help="run earlier survivors once more")
    parser.add_argument("--folder", action="store_true", help="the other tests of the folder, too")
    parser.add_argument("--package", default="avalanche_emgd", help="package in this folder")
    given = parser.parse_args(arguments)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.setdefault("HYPOTHESIS_PROFILE", "mutants")
    sys.path.insert(0, str(Path.cwd()))
    tests = MutantTests(Path.cwd(), given.package)
    search = Search(tests, given.output, given.most, given.seed, given.again, given.folder)
    console, survivors, total = Console(), [], Counter[str]()
    table = Table(Column("module", no_wrap=True), "mutants", "drawn", *OUTCOMES)
    for path in tests.modules(given.modules or MODULES):
        found, count = search.module(path)
        counts = Counter(each["outcome"] for each in found)
        counts.update({"mutants": count, "drawn": len(found)})
        total += counts
        columns = ("mutants", "drawn", *OUTCOMES)
        table.add_row(tests.name_of(path).partition(".")[2], *(f"{counts[k]:,}" for k in columns))
        survivors += [each for each in found if each["outcome"] == "survived"]
    table.add_section()
    table.add_row("all", *(f"{total[k]:,}" for k in ("mutants", "drawn", *OUTCOMES)))
    console.print(table)
    for each in survivors:
        words = f"{each['module']}:{each['line']}: {each['change']}"
        console.print(words, soft_wrap=True, markup=False, highlight=False)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()

"""Attack on the public entry points: hostile Gramians, files and command lines.

    python -m benchmarks.faults.attack           # 100,000 Gramians, 10,000 files and lines
    python -m benchmarks.faults.attack --quick   # a hundredth of the cases
    python -m benchmarks.faults.attack --seed 0 --only image --case 17   # one case again

Each case follows from the seed, its kind and its number. It is accepted, or refused by one line: a
documented error of a function, or exit status 2 of a command. Everything else is a fault: another
exception, a file that hostile code has made, memory out of proportion to the file, or a minute of
work. The exit status is 1 if there are faults.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from . import gramians
from .bombs import CANARY
from .command_lines import attack as attack_line
from .command_lines import draw_line, without_work
from .targets import Target, Targets

GRAMIANS, FILES = 100_000, 10_000
MOST_SECONDS = 60.0
# Decoding takes memory: images of up to 100 million pixels, three bytes each, and their copies.
BYTES_PER_BYTE, FREE_BYTES = 1100, 200 * 2**20
_SHOWN = 20

Case = Callable[[int], tuple[str, str]]


def peak_memory() -> int:
    """Return the peak of the resident memory in bytes since :func:`forget_peak`."""
    with suppress(OSError), open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def forget_peak() -> int:
    """Let the peak begin anew where the system can, and return it."""
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return peak_memory()


def attack_file(name: str, target: Target, folder: Path, seed: int, number: int) -> tuple[str, str]:
    """Give a hostile file to an entry point, and return the outcome and its words."""
    path = folder / f"{name}-{number}{target.suffix}"
    path.write_bytes(target.make(random.Random(f"{seed} {name} {number}")))
    before, started = forget_peak(), time.monotonic()
    try:
        target.read(path)
        outcome, words = "accepted", ""
    except (ValueError, OSError) as error:
        words = str(error)
        outcome = "refused" if words and "\n" not in words and len(words) < 3000 else "fault"
    except Exception as error:
        outcome, words = "fault", f"{type(error).__name__}: {error}"
    grown = peak_memory() - before
    if grown > FREE_BYTES + BYTES_PER_BYTE * path.stat().st_size:
        outcome, words = "fault", f"{grown / 1e6:.0f} MB for {path.stat().st_size} bytes: {words}"
    if time.monotonic() - started > MOST_SECONDS:
        outcome, words = "fault", f"more than {MOST_SECONDS} s: {words}"
    path.unlink()
    return outcome, words


@contextmanager
def _inside(folder: Path):  # noqa: ANN202
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def cases(folder: Path, seed: int) -> dict[str, Case]:
    """Return the kinds of files and command lines, each a function of the number of a case.

    :param folder: empty folder.
    :param seed: seed of all cases.
    """

    def of_file(name: str, target: Target) -> Case:
        return lambda number: attack_file(name, target, folder, seed, number)

    def line(number: int) -> tuple[str, str]:
        with without_work():
            words = draw_line(random.Random(f"{seed} line {number}"))
            outcome, found = attack_line(words, folder)
        return outcome, found if outcome != "fault" else f"{words!r:.300}: {found}"

    targets = Targets(folder)
    return {**{n: of_file(n, t) for n, t in targets.all.items()}, "command line": line}


def attack(
    seed: int, files: int, duals: int, only: str | None = None, case: int | None = None
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Attack, and return the outcomes by kind, and words for each fault.

    :param seed: seed of all cases.
    :param files: number of files and command lines.
    :param duals: number of Gramians.
    :param only: kind to attack; all if omitted.
    :param case: number of the only case; all if omitted.
    """
    counts: dict[str, Counter[str]] = {}
    faults: list[str] = []

    def note(kind: str, number: int, outcome: str, words: str) -> None:
        counts.setdefault(kind, Counter())[outcome] += 1
        if outcome == "fault":
            faults.append(f"{kind}, case {number}: {' '.join(words.split())[:400]}")

    if only in (None, "dual"):
        for number in range(duals) if case is None else [case]:
            kind, outcome, words = gramians.attack(seed, number)
            note(f"dual: {kind}", number, outcome, words)
    with tempfile.TemporaryDirectory() as name, _inside(Path(name)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if only != "dual":
            every = cases(Path(name), seed)
            share = files // len(every)
            for kind, attack_case in every.items():
                for number in range(share) if case is None else [case]:
                    if only not in (None, kind):
                        break
                    outcome, words = attack_case(number)
                    if any(Path(name).rglob(CANARY)):
                        outcome, words = "fault", "code of the file has run"
                        Path(CANARY).unlink(missing_ok=True)
                    note(kind, number, outcome, words)
    return counts, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, default=FILES, help="files and command lines")
    parser.add_argument("--gramians", type=int, default=GRAMIANS)
    parser.add_argument("--only", help="one kind: dual, or as in the table")
    parser.add_argument("--case", type=int, help="number of one case")
    given = parser.parse_args()
    torch.set_num_threads(1)
    part = 100 if given.quick else 1
    started = time.monotonic()
    counts, faults = attack(
        given.seed, given.files // part, given.gramians // part, given.only, given.case
    )
    table = Table("kind", "accepted", "refused", "faults")
    total: Counter[str] = Counter()
    for kind, found in counts.items():
        table.add_row(kind, *(f"{found[each]:,}" for each in ("accepted", "refused", "fault")))
        total += found
    table.add_section()
    table.add_row("all", *(f"{total[each]:,}" for each in ("accepted", "refused", "fault")))
    console = Console()
    console.print(table)
    console.print(
        f"{total.total():,} cases in {time.monotonic() - started:.0f} s; "
        f"Python {sys.version.split()[0]}, torch {torch.__version__}, seed {given.seed}"
    )
    for words in faults[:_SHOWN]:
        console.print(words, soft_wrap=True, markup=False, highlight=False)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

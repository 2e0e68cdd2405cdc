"""Mutated command lines; the work of commands that are accepted is left out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from typer.testing import CliRunner

from avalanche_emgd.cli import app

from .mutations import TEXTS

# Functions that do the work of a command, after all its words have been checked.
WORK = (
    ("avalanche_emgd.experiments", "run"),
    ("avalanche_emgd.experiments.study", "run_study"),
    ("avalanche_emgd.experiments.sweep", "run_sweep"),
    ("avalanche_emgd.experiments.demo", "run_demo"),
    ("avalanche_emgd.cli.runs", "save_timeline"),
)
LINES = (
    "train --output out --tasks 2 --method emgd-gmc --seed 1 --edit cosine,step=0.1",
    "train --output out --npz a.npz --tasks 2 --model mlp --batch-size 4",
    "train --output out --images images --size 8 --tasks 2 --augment --no-flip",
    "train --output out --table t.csv --label-column kind --test-share 0.5",
    "train --output out --config config.json --learning-rate 0.1 --overwrite",
    "train --output out --resume --checkpoint-every 5 --quiet",
    "compare --output out --methods avg,er --seeds 0,1 --scenarios task,class --workers 1",
    "compare --output out --config study.yaml --retry-failed",
    "sweep --config sweep.yaml --output out --trials 3 --metric A_ebar",
    "demo --output out --seed 3 --threads 1",
    "report study --reference avg --output out --format latex",
    "predict run --npz a.npz --task task0 --output table.csv",
    "predict run --images images --model own:net --overwrite",
    "timeline --output t.png --protocol p.json --label-set 0 --timeline 1 --overlap 0.5",
    "methods",
)
WORDS = tuple(sorted({word for line in LINES for word in line.split()}))


class AcceptedError(Exception):
    """The words of a command were accepted."""


def draw_line(draw: random.Random) -> list[str]:
    """Draw a command line: words replaced, left out, repeated, swapped and made up."""
    words = draw.choice(LINES).split()
    for _ in range(draw.choice([1, 1, 2, 4])):
        place, action = draw.randrange(len(words) + 1), draw.randrange(6)
        hostile = draw.choice([*TEXTS, "-1", "0", "1e9", "99999999999999999999", "0.5", "a,b", ","])
        if action == 0:
            words[place : place + 1] = [hostile]
        elif action == 1:
            words[place:place] = [hostile]
        elif action == 2:
            del words[place : place + 1]
        elif action == 3:
            words[place:place] = [draw.choice(WORDS)]
        elif action == 4:
            words[place : place + 1] = [draw.choice(WORDS)]
        elif words:
            word = words[place % len(words)]
            at = draw.randrange(len(word) + 1)
            words[place % len(words)] = word[:at] + draw.choice("=-, \0é'[") + word[at + 1 :]
    return words


@contextmanager
def without_work() -> Iterator[None]:
    """Context in which accepted commands raise :class:`AcceptedError` instead of their work."""

    def accept(*arguments: Any, **options: Any) -> None:
        raise AcceptedError

    patches = [patch.object(import_module(module), name, accept) for module, name in WORK]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def attack(words: list[str], folder: Path) -> tuple[str, str]:
    """Call a command, and return the outcome and its words."""
    threads = torch.get_num_threads()
    found = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    torch.set_num_threads(threads)
    error = found.exception
    if isinstance(error, AcceptedError) or found.exit_code == 0:
        return "accepted", ""
    if error is not None and not isinstance(error, SystemExit):
        return "fault", f"{type(error).__name__}: {error}"
    if (folder / "out").exists() and any((folder / "out").iterdir()):
        return "fault", f"files are left by {words}"
    lines = found.output.strip().splitlines()
    usage = not words or found.output.startswith("Usage: ")  # the help of no command at all
    if found.exit_code != 2 or (len(lines) != 1 and not usage):
        return "fault", f"status {found.exit_code}: {found.output[-500:]}"
    return "refused", lines[0]

"""Cost of starting: CPU time of fresh interpreters."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator

from .finding import Effort, Finding

__all__ = ["start_up"]

_TORCH = "import torch, torchjd"
_OPTIM = "from avalanche_emgd.optim import *; from avalanche_emgd.optim.peers import *"
_WORDS = {
    "--help": ("--help",),
    "methods": ("methods",),
    "a mistyped method": ("train", "--output", "runs/none", "--method", "emgd-gcm"),
}


def start_up(effort: Effort) -> Iterator[Finding]:
    """Import the mathematics, beside torch and TorchJD, and start the command line."""
    code = [("-c", _TORCH), ("-c", _OPTIM), ("-c", "import avalanche_emgd.optim")]
    commands = [("-m", "avalanche_emgd", *words) for words in _WORDS.values()]
    rows = [[_cpu_seconds(words) for words in (*code, *commands)] for _ in range(effort.repeats)]
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    ratios = [
        statistics.median(row[place] / row[0] for row in rows) for place in range(len(medians))
    ]
    for place, what in ((1, "import of all of avalanche_emgd.optim"), (2, "import of the package")):
        detail = f"{medians[place]:.2f} s, torch and torchjd {medians[0]:.2f} s of CPU time"
        yield Finding(what, _TORCH, ratios[place], 1.15, detail=detail)
    for place, what in enumerate(_WORDS, start=len(code)):
        detail = f"{ratios[place]:.2f} of {_TORCH}"
        yield Finding(f"avalanche-emgd, {what}", "CPU seconds", medians[place], 0.5, detail=detail)


def _cpu_seconds(words: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

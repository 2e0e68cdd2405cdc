"""What worker processes of a study need, imported once, by the server that they are forked from."""

from __future__ import annotations

import gc

from .. import benchmarks
from ..optim import elastic, weighting
from ..optim.dual import solve
from ..training import emgd
from . import scheduling
from .data import DATA

__all__ = ["benchmarks", "elastic", "emgd", "scheduling", "solve", "weighting"]

for _data in DATA.values():
    _data.generator()

# Half a million objects of modules, which collections would look through before each run, and
# whose memory they would unshare.
gc.collect()
gc.freeze()

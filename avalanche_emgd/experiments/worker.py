"""Imports of the worker processes of a study, done once by the server that forks them."""

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

# The modules have half a million objects. Each collection would visit them, and copy the pages of
# memory that forks share.
gc.collect()
gc.freeze()

"""Records of the runs of a study, one file per run, and the table of all records."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from .._atomic import replacing
from .._text_files import parse_json, read_text, writable
from .config import RunConfig, published_streams
from .csv_cells import with_text_cells
from .finished_run import Run
from .record_schema import FIGURES, IDENTITY, check_record
from .setting import declared
from .study_directory import RECORDS, check_study

__all__ = [
    "LATER",
    "RECORDS",
    "Record",
    "done_record",
    "failed_record",
    "last_line",
    "load_records",
    "read_records",
    "record_key",
    "results_table",
    "run_identity",
    "write_record",
    "write_results",
]

Record = dict[str, Any]
"""Record of a run. The keys are ``method`` (its label), ``scenario``, ``benchmark``, ``label_set``,
``timeline``, ``seed``, ``status`` (``"done"`` or ``"failed"``) and ``error`` (the traceback, or
``None``). A run that is done adds the keys of :meth:`Run.to_json`. The key ``config`` has the
settings, see :meth:`RunConfig.to_json`.
"""

_DECLARED = declared(RunConfig)
# The places of data do not change a run; the content of the protocol is part of the key.
_PLACES = tuple(name for name, each in _DECLARED.items() if each.setting.place)
# Settings of the first records, which are always parts of keys.
_FIRST = (
    *("benchmark", "scenario", "method", "settings", "name", "seed", "label_set", "timeline"),
    *("overlap", "num_tasks", "model", "augment", "batch_size", "learning_rate"),
    *("memory_per_class", "eval_every", "device", "precision", "channels_last"),
)
_MOST_OF_ERROR = 100_000  # characters of a message in a record, which is read in bounded memory
_MOST_LETTERS = 60  # of a method's name in the name of a file
# Names that Windows keeps for devices, whatever follows their first dot.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
LATER: dict[str, Any] = {
    name: each.default for name, each in _DECLARED.items() if name not in (*_FIRST, *_PLACES)
}
"""Settings that the first records did not have, with their defaults, which keys leave out."""


def record_key(config: RunConfig) -> str:
    """Return a unique name of a run, readable and safe as the name of a file.

    :param config: configuration of the run.
    :return: method, scenario, label set and time line (with a protocol), seed, and a digest of the
        configuration. The digest includes the protocol, and neither places nor versions of
        packages.
    :raises ValueError: as in :func:`~avalanche_emgd.experiments.config.published_streams`.
    """
    chosen = config.resolved()
    content = {key: value for key, value in asdict(chosen).items() if key not in _PLACES}
    content["name"] = config.label
    for name, default in LATER.items():
        if content[name] == default:
            del content[name]
    if config.protocol is not None:
        label_sets, timeline = published_streams(config)
        content["streams"] = [label_sets, timeline.spans]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
    parts = [_file_name(config.label), chosen.scenario]
    if config.protocol is not None:
        parts += [f"ls{chosen.label_set}", f"tl{chosen.timeline}"]
    return "-".join([*parts, f"seed{chosen.seed}", digest])


def _file_name(label: str) -> str:
    """Return a beginning of a file's name that is no hidden file, no device and no other folder."""
    name = re.sub(r"[^\w.-]+", "-", label, flags=re.ASCII)[:_MOST_LETTERS]
    return f"_{name}" if name.startswith(".") or _DEVICES.match(name) else name


def done_record(config: RunConfig, run: Run) -> Record:
    """Make the record of a finished run.

    :raises ValueError: if a field violates the schema; the message names it.
    """
    record = {
        **_head(config),
        "status": "done",
        "error": None,
        **run.to_json(),
        "config": config.to_json(),
    }
    check_record(json.loads(json.dumps(record)))
    return record


def failed_record(config: RunConfig, error: str) -> Record:
    """Make the record of a failed run.

    :param config: configuration of the run.
    :param error: traceback or other message; characters that a record cannot have become escapes,
        and the middle of a very long text is left out.
    """
    words = writable(error)
    if len(words) > _MOST_OF_ERROR:
        half = _MOST_OF_ERROR // 2
        words = f"{words[:half]}\n…\n{words[-half:]}"
    return {**_head(config), "status": "failed", "error": words, "config": config.to_json()}


def _head(config: RunConfig) -> Record:
    chosen = config.resolved()
    return {
        "method": config.label,
        **{name: getattr(chosen, name) for name in IDENTITY if name != "method"},
    }


def run_identity(run: RunConfig | Mapping[str, Any]) -> tuple[Any, ...]:
    """Identify a run within a study: label of the method, scenario, label set, time line and seed.

    :param run: configuration or record of the run.
    """
    head = _head(run) if isinstance(run, RunConfig) else run
    return tuple(head[name] for name in IDENTITY if name != "benchmark")


def write_record(directory: Path, key: str, record: Record) -> None:
    """Write ``records/KEY.json`` atomically.

    :param directory: directory of the study, with the folder :data:`RECORDS`.
    :param key: key of the run, see :func:`record_key`.
    :param record: record, with one line of the file for each field.
    :raises ValueError: if the file cannot be written; the message says why.
    """
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in record.items()]
    with replacing(directory / RECORDS / f"{key}.json") as draft:
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def read_records(directory: Path) -> dict[str, Record]:
    """Read the records of a study by key, in the order of the keys.

    :param directory: directory of the study.
    :raises ValueError: if a file among the records cannot be read or is no record; the message
        names it.
    """
    folder = directory / RECORDS
    if not folder.is_dir():
        return {}
    names = [name for name in os.listdir(folder) if name.endswith(".json")]
    # Names of drafts, which are hidden, end with a process id.
    return {name.removesuffix(".json"): _read(folder / name) for name in sorted(names)}


def load_records(directory: str | Path) -> list[Record]:
    """Load the records of a study, even while it is running.

    :param directory: directory of the study.
    :return: a :data:`Record` for each finished or failed run, ordered by benchmark, scenario,
        method, label set, time line and seed.
    :raises FileNotFoundError: if the directory holds no study.
    :raises ValueError: if a file among the records cannot be read or is no record; the message
        names it.
    """
    check_study(Path(directory))
    return sorted(read_records(Path(directory)).values(), key=_order)


def _read(path: Path) -> Record:
    try:
        record = parse_json(read_text(path, "record"))
    except ValueError as error:
        raise ValueError(
            f"The record {str(path)!r} cannot be read: {error} Remove it to have its run repeated."
        ) from None
    try:
        check_record(record)
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} is not a record of a run, but lies among them: {error}. Remove it to "
            "have its run repeated."
        ) from None
    return dict(record)


def _order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    streams = [-1 if record[name] is None else record[name] for name in ("label_set", "timeline")]
    names = [record[name] for name in ("benchmark", "scenario", "method")]
    return (*names, *streams, record["seed"])


def results_table(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a table with a row for each record, in the order of :func:`load_records`.

    Columns: ``method``, ``scenario``, ``benchmark``, ``label_set``, ``timeline`` and ``seed``;
    ``A_e``, ``A_ebar`` and ``F_ebar`` as fractions; ``ticks``, ``seconds``, ``ticks_per_second``
    and ``peak_memory_mb``; ``status``, and ``error``: the last line of the traceback. Unknown
    values are missing: the figures of a failed run, or the label set without a protocol.

    :param records: records, see :data:`Record`.
    """
    columns = (*IDENTITY, *FIGURES, "status", "error")
    rows = [
        [last_line(record[c]) if c == "error" else record.get(c) for c in columns]
        for record in sorted(records, key=_order)
    ]
    whole = dict.fromkeys(("label_set", "timeline", "seed", "ticks"), "Int64")
    words = dict.fromkeys(("method", "scenario", "benchmark", "status", "error"), "string")
    numbers = dict.fromkeys((c for c in columns if c not in whole and c not in words), "float64")
    return pd.DataFrame(rows, columns=list(columns)).astype({**whole, **words, **numbers})


def last_line(error: str | None) -> str | None:
    """Return the last line of a traceback, which has the message; ``None`` for ``None``."""
    return None if error is None else error.rstrip().rpartition("\n")[2]


def write_results(directory: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write the table of records as ``results.csv`` and ``results.parquet``.

    :param directory: directory of the study.
    :param records: all records.
    """
    table = results_table(records)
    with replacing(directory / "results.csv") as draft:
        with_text_cells(table).to_csv(draft, index=False)
    with replacing(directory / "results.parquet") as draft:
        table.to_parquet(draft, index=False)

"""The report of a study: statistics, tables and pictures of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..._atomic import replacing
from ..directories import make_directory
from ..records import Record, load_records
from .document import Document, Element, Heading, Paragraph, Picture
from .families import family_of
from .latex import pdf, to_latex
from .overview import failures, head, how_to_read, methods
from .plan import progress_words
from .render import svg, to_html, to_markdown
from .runs import finished_runs, scenarios_of
from .scenario import scenario_section
from .statistics import DEFAULT_REFERENCE, choose_reference
from .streams import draw_timelines, streams_of
from .words import count, listing, scenario_words

__all__ = ["write_latex", "write_report"]

_FOLDER = "report"
_MOST_TIMELINES = 9


def write_report(
    directory: str | Path, *, output: str | Path | None = None, reference: str | None = None
) -> tuple[Path, Path]:
    """Write the report of a study, even while it is running.

    Writes ``report.md`` with its pictures in ``report/``, and ``report.html``, which holds
    everything in one file. Files of an earlier report are replaced.

    :param directory: directory of the study.
    :param output: directory for the report, made if it does not exist; that of the study if
        ``None``.
    :param reference: label of the method to compare the others with. If ``None``, it is
        ``emgd-gmc``, or without this run the method with the highest A_ē in the first scenario.
    :return: paths of ``report.md`` and ``report.html``.
    :raises FileNotFoundError: if the directory holds no study, or a study without records.
    :raises ValueError: if the reference has no finished run, or the records are not of one study.
    """
    document, target = _prepare(directory, output, reference)
    pictures = {picture.name: svg(picture.figure) for picture in document.pictures}
    _write_pictures(target, pictures, "svg")
    paths = target / "report.md", target / "report.html"
    texts = to_markdown(document, _FOLDER), to_html(document, pictures)
    for path, text in zip(paths, texts, strict=True):
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    return paths


def write_latex(
    directory: str | Path, *, output: str | Path | None = None, reference: str | None = None
) -> Path:
    r"""Write the tables and pictures of a study's report for a paper.

    Writes ``report.tex``, with a ``table`` or ``figure`` for each, for ``\input`` in a paper, and
    the pictures as ``report/*.pdf``.

    :param directory: directory of the study. The other parameters and the errors are those of
        :func:`write_report`.
    :return: path of ``report.tex``.
    """
    document, target = _prepare(directory, output, reference)
    pictures = {picture.name: pdf(picture.figure) for picture in document.pictures}
    _write_pictures(target, pictures, "pdf")
    with replacing(target / "report.tex") as draft:
        draft.write_text(to_latex(document, _FOLDER), encoding="utf-8")
    return target / "report.tex"


def _prepare(
    directory: str | Path, output: str | Path | None, reference: str | None
) -> tuple[Document, Path]:
    """Read the records, make the document, and return it with its directory."""
    directory = Path(directory)
    records = load_records(directory)
    if not records:
        raise FileNotFoundError(
            f"`directory` {str(directory)!r} holds a study that has no finished or failed runs "
            "yet: wait for the first one."
        )
    _check_benchmark(records)
    chosen = choose_reference(records, reference)
    target = directory if output is None else Path(output)
    make_directory(target / _FOLDER)
    words = _reference_words(records, chosen, reference)
    return _document(records, progress_words(directory, records), chosen, words), target


def _write_pictures(target: Path, pictures: Mapping[str, bytes], kind: str) -> None:
    for name, content in pictures.items():
        with replacing(target / _FOLDER / f"{name}.{kind}") as draft:
            draft.write_bytes(content)


def _check_benchmark(records: Sequence[Record]) -> None:
    benchmarks = sorted({record["benchmark"] for record in records})
    if len(benchmarks) > 1:
        raise ValueError(
            f"`directory` holds runs on several benchmarks ({', '.join(benchmarks)}): a report is "
            "of one. Move the records of the others elsewhere."
        )


def _document(
    records: Sequence[Record], progress: str, reference: str | None, reference_words: str
) -> Document:
    families = {record["method"]: family_of(record["config"]["method"]) for record in records}
    document = Document(f"Parallel continual learning on {records[0]['benchmark']}")
    document.add(*head(records, progress, reference_words))
    document.add(*how_to_read())
    if reference is None:
        document.add(Paragraph("No run is done yet: there is nothing to compare."))
    else:
        for scenario in scenarios_of(records):
            runs = finished_runs(records, scenario)
            document.add(*scenario_section(scenario, runs, families, reference))
        document.add(*_timelines(records))
    document.add(*methods(records), *failures(records))
    return document


def _reference_words(records: Sequence[Record], reference: str | None, wanted: str | None) -> str:
    if reference is None or reference in (wanted, DEFAULT_REFERENCE):
        return reference or ""
    first = scenario_words(scenarios_of(records)[0])
    return (
        f"{reference}, which has the highest mean A_ē in the {first} scenario (there is no run "
        f"called {DEFAULT_REFERENCE})"
    )


def _timelines(records: Sequence[Record]) -> list[Element]:
    streams = streams_of(records)
    shown = streams[:_MOST_TIMELINES]
    more = f" The first {len(shown)} of {len(streams)}." if len(streams) > len(shown) else ""
    return [
        Heading(2, "Time lines", "timelines"),
        Picture(
            "timelines",
            draw_timelines(shown),
            "Spans of the tasks; dotted lines separate segments, in which the same tasks are "
            f"active.{more}",
            f"Spans of tasks as bars over ticks, for {count(len(shown), 'time line')}: "
            f"{listing(each.title for each in shown)}.",
        ),
    ]

"""The section of one scenario: figures, differences, curves, losses and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...training.methods import Family
from ..records import Record
from .document import Cell, Column, Element, Heading, Paragraph, Picture, Table
from .forest import draw_differences
from .plane import draw_plane, shows_intervals
from .runs import Block, Runs, block_order, common_blocks
from .statistics import Comparison, Summary, compare, summarize
from .streams import draw_losses, draw_runs, draw_trace, has_losses, has_trace
from .words import count, difference, interval, listing, percent, rate, scenario_words, signed

__all__ = ["scenario_section"]

# Largest number of curves that are easy to tell apart.
_MOST_CURVES = 4
# By chance, all n differences have one sign in 2 · 2⁻ⁿ of the cases: more than 5 % if n < 6.
_FEW_PAIRS = 6


def scenario_section(
    scenario: str, runs: Runs, families: Mapping[str, Family], reference: str
) -> list[Element]:
    """Write the section of one scenario.

    :param scenario: scenario, ``"task"`` or ``"class"``.
    :param runs: finished runs of the scenario, of at least one method.
    :param families: families of the methods, by label.
    :param reference: label of the method of comparison.
    """
    summaries = summarize(runs)
    words = scenario_words(scenario)
    return [
        Heading(2, words.capitalize(), words),
        _summary_table(summaries, len(common_blocks(runs))),
        *_note_on_blocks(runs),
        _plane(scenario, summaries, families, reference),
        *_differences(scenario, compare(runs, reference), families, reference),
        *_single_runs(scenario, runs, [summary.method for summary in summaries], reference),
    ]


def _summary_table(summaries: Sequence[Summary], blocks: int) -> Table:
    ranks = (
        f"Mean rank by A_ē over the {count(blocks, 'block')} (label set, time line, seed) in which "
        f"all {len(summaries)} methods are done. Ties share a rank."
        if blocks
        else "No ranks: there is no block (label set, time line, seed) in which all are done."
    )
    columns = ("A_e", "A_ē", "F_ē", "runs", "mean rank", "ticks/s", "peak MB")
    rows = tuple(
        tuple(
            map(
                Cell,
                (
                    s.method,
                    *(interval(estimate) for estimate in (s.A_e, s.A_ebar, s.F_ebar)),
                    str(s.runs),
                    "–" if s.rank is None else f"{s.rank:.1f}",
                    rate(s.ticks_per_second),
                    f"{s.peak_memory_mb:.0f}",
                ),
            )
        )
        for s in summaries
    )
    caption = (
        "Percent, mean ± half of the 95 % interval over runs (none from a single run); sorted by "
        f"A_ē. {ranks} Ticks per second and peak memory (10⁶ bytes): medians over the runs."
    )
    return Table(caption, (Column("Method", numeric=False), *map(Column, columns)), rows)


def _note_on_blocks(runs: Runs) -> list[Element]:
    if len({frozenset(done) for done in runs.values()}) == 1:
        return []
    return [
        Paragraph(
            "Not all methods are done in the same blocks, so their means are of different runs. "
            "Ranks and differences compare runs of the same blocks."
        )
    ]


def _plane(
    scenario: str, summaries: Sequence[Summary], families: Mapping[str, Family], reference: str
) -> Picture:
    least = max(summaries, key=lambda summary: summary.F_ebar.mean)
    crosses = (
        " Crosses are 95 % intervals over runs."
        if shows_intervals(summaries)
        else " Intervals are in the table."
    )
    return Picture(
        f"plane-{scenario}",
        draw_plane(summaries, families, reference),
        "Stability against plasticity, means over runs: further up is less forgetting, further to "
        "the right is a better end. A_e, the accuracy of each task at its own end, is constant "
        f"along a dotted line.{crosses}",
        f"Scatter plot of F_ē over A_ē of {count(len(summaries), 'method')}. Highest A_ē: "
        f"{summaries[0].method}, {percent(summaries[0].A_ebar.mean)} %. Highest F_ē: "
        f"{least.method}, {signed(least.F_ebar.mean)} points.",
    )


def _differences(
    scenario: str,
    comparisons: Sequence[Comparison],
    families: Mapping[str, Family],
    reference: str,
) -> list[Element]:
    heading = Heading(3, f"Differences to {reference}", f"differences-{scenario}")
    paired = [comparison for comparison in comparisons if comparison.pairs]
    if not comparisons:
        return [heading, Paragraph("There is no other method to compare.")]
    if not paired:
        return [heading, Paragraph(f"No run is a pair with one of {reference}.")]
    rows = tuple(_difference_row(comparison) for comparison in comparisons)
    columns = ("difference of A_ē", "wins", "difference of F_ē", "pairs")
    caption = (
        f"Method − {reference} in points, mean and 95 % percentile bootstrap interval over pairs: "
        "runs with the same label set, time line and seed. Bold: the interval excludes zero. Wins: "
        "share of the pairs in which the method has the higher A_ē, a tie being half a win."
    )
    most, fewest = max(c.pairs for c in comparisons), min(c.pairs for c in comparisons)
    notes = []
    if fewest != most:
        notes.append(f"The methods have different numbers of pairs, from {fewest} to {most}.")
    if min(c.pairs for c in paired) < _FEW_PAIRS:
        notes.append(
            f"With fewer than {_FEW_PAIRS} pairs, an interval that excludes zero says little. It "
            "does so whenever all differences are of one sign. By chance, that happens in more "
            "than 5 % of the cases."
        )
    best, worst = paired[0], paired[-1]
    alt = "; ".join(
        f"{comparison.method} {difference(comparison.A_ebar)}"
        for comparison in dict.fromkeys((best, worst))
        if comparison.A_ebar is not None
    )
    return [
        heading,
        Table(caption, (Column("Method", numeric=False), *map(Column, columns)), rows),
        *(Paragraph(note) for note in notes),
        Picture(
            f"differences-{scenario}",
            draw_differences(paired, families),
            f"The same differences to {reference} (the line at zero), with their intervals. Full "
            "markers: the interval excludes zero. To the right: a higher A_ē, less forgetting."
            + (" Numbers of pairs in brackets." if len({c.pairs for c in paired}) > 1 else ""),
            f"Dots and intervals of the differences of A_ē and F_ē to {reference} of "
            f"{count(len(paired), 'method')}. First and last of A_ē: {alt}.",
        ),
    ]


def _difference_row(comparison: Comparison) -> tuple[Cell, ...]:
    if comparison.A_ebar is None or comparison.F_ebar is None or comparison.wins is None:
        return (Cell(comparison.method), Cell("–"), Cell("–"), Cell("–"), Cell("0"))
    return (
        Cell(comparison.method),
        Cell(difference(comparison.A_ebar), comparison.A_ebar.excludes_zero),
        Cell(f"{100 * comparison.wins:.0f} %"),
        Cell(difference(comparison.F_ebar), comparison.F_ebar.excludes_zero),
        Cell(str(comparison.pairs)),
    )


def _single_runs(
    scenario: str, runs: Runs, best_first: Sequence[str], reference: str
) -> list[Element]:
    """Curves and weights of single runs in the first block in which the reference is done."""
    order = [reference] * (reference in runs) + [m for m in best_first if m != reference]
    block = min(runs[order[0]], key=block_order)
    records = [runs[method][block] for method in order if block in runs[method]]
    where, shown = _block_words(block), records[:_MOST_CURVES]
    elements: list[Element] = [
        Heading(3, "Accuracy over ticks", f"curves-{scenario}"),
        Picture(
            f"curves-{scenario}",
            draw_runs(shown),
            f"Single runs: {where}. Lines are solid during the span of a task and dashed after it; "
            "a dot marks the end of the task.",
            f"Test accuracy of {count(len(shown[0]['tasks']), 'task')} over "
            f"{shown[0]['ticks']} ticks, for {listing(record['method'] for record in shown)}.",
        ),
        *_losses(scenario, [record for record in shown if has_losses(record)], where),
        Heading(3, "Weights and elastic factors", f"weights-{scenario}"),
    ]
    traced = [record for record in records if has_trace(record)]
    if not traced:
        elements.append(
            Paragraph(f"No method weighs its objectives in the runs of this block ({where}).")
        )
        return elements
    elements.append(_trace(scenario, traced[0], where))
    return elements


def _losses(scenario: str, records: Sequence[Record], where: str) -> list[Element]:
    if not records:
        return []
    return [
        Heading(3, "Convergence", f"losses-{scenario}"),
        Picture(
            f"losses-{scenario}",
            draw_losses(records),
            f"Training loss of each objective in single runs: {where}. Lines are running means "
            "over five recorded minibatches, in the colours of the tasks. Black: the replay "
            "memory; dashed: its samples of one task.",
            f"Training losses over {records[0]['ticks']} ticks, for "
            f"{listing(record['method'] for record in records)}.",
        ),
    ]


def _trace(scenario: str, record: Record, where: str) -> Picture:
    factors = bool(record["trace"].get("sigma"))
    return Picture(
        f"weights-{scenario}",
        draw_trace(record),
        f"Weight λ of each objective{' and its elastic factor σ' if factors else ''} in a run of "
        f"{record['method']} ({where}). Lines have the colours of the tasks. Black: the replay "
        "memory; dashed: its samples of one task. Weights are on a scale that is linear up to 1 "
        "and logarithmic above." + ("" if factors else " The method has no elastic factors."),
        f"Weights {'and elastic factors ' if factors else ''}of the objectives over "
        f"{record['ticks']} ticks in a run of {record['method']}.",
    )


def _block_words(block: Block) -> str:
    label_set, timeline, seed = block
    streams = "" if label_set is None else f"label set {label_set}, time line {timeline}, "
    return f"{streams}seed {seed}"

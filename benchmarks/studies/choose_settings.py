r"""Choose the settings of each method among candidates that have been compared.

Example::

    avalanche-emgd compare --config benchmarks/studies/candidates.yaml --data-root DIR \
        --protocol FILE --output runs/candidates
    python benchmarks/studies/choose_settings.py runs/candidates

The chosen candidate of each method has the highest A_ē, averaged over the scenarios. A user has one
setting for both scenarios, too. Prints a table, and the chosen settings as entries for
the ``methods`` of a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from avalanche_emgd.experiments.method_choice import MethodChoice
from avalanche_emgd.experiments.records import Record, load_records
from avalanche_emgd.experiments.study_config import StudyConfig


def main(
    directory: Annotated[Path, typer.Argument(help="Output directory of the study.")],
) -> None:
    """Print a table of all candidates, and the settings that are chosen."""
    study = StudyConfig.from_yaml(directory / "study.yaml")
    records = load_records(directory)
    planned = len(study.runs())
    done = [record for record in records if record["status"] == "done"]
    if len(done) < planned:
        raise typer.BadParameter(
            f"{planned - len(done)} of {planned} runs are not done: finish the study first."
        )
    scores = {choice.label: _scores(choice, study.scenarios, done) for choice in study.methods}
    names = dict.fromkeys(choice.method for choice in study.methods)
    groups = [[c for c in study.methods if c.method == name] for name in names]
    chosen = [max(group, key=lambda choice: sum(scores[choice.label])) for group in groups]
    print_ = Console(soft_wrap=True, markup=False, highlight=False).print
    print_("| candidate | " + " | ".join(f"{s}: A_ē" for s in study.scenarios) + " | mean |")
    print_("|---|" + "---:|" * (len(study.scenarios) + 1))
    for choice in study.methods:
        values = scores[choice.label]
        cells = [f"{100 * value:.1f}" for value in (*values, sum(values) / len(values))]
        label = f"**{choice.label}**" if choice in chosen else choice.label
        print_(f"| {label} | " + " | ".join(cells) + " |")
    print_(f"\n{planned // len(study.methods)} runs of each.\n")
    entries = [MethodChoice(c.method, None, c.settings).to_plain() for c in chosen if c.settings]
    print_(yaml.safe_dump(entries, sort_keys=False, default_flow_style=None))


def _scores(
    choice: MethodChoice, scenarios: Sequence[str], records: Sequence[Record]
) -> list[float]:
    """Mean A_ē in each scenario."""
    own = [record for record in records if record["method"] == choice.label]
    values = {s: [r["A_ebar"] for r in own if r["scenario"] == s] for s in scenarios}
    return [sum(found) / len(found) for found in values.values()]


if __name__ == "__main__":
    typer.run(main)

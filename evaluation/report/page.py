"""Puts a report together: one HTML file without scripts that needs nothing from elsewhere."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from evaluation.report import facts, plots, words
from evaluation.report.drawing import INK, MUTED, colour, svg
from evaluation.report.examples import example_tables
from evaluation.report.findings import Findings
from recsys.backtest.mixes import AFTER, BEFORE
from recsys.backtest.rows import write_figures

CAPTIONS = {
    "headline": "Each point is a mean over customers, each bar its 95 % interval. Leads are "
    "judged in the table, paired by customer: they can be significant where these bars overlap.",
    "curves": "How accuracy changes with the length of the list; bands are 95 % intervals.",
    "coverage": "Up is more accurate, right shows more of the catalogue. A point to the upper "
    "right of another is better in both.",
    "popularity": "Items sorted by buyers and cut where each part makes up a fifth of all sales: "
    "a few bestsellers on the left, very many rare items on the right. How fast recall falls says "
    "how much lists live on bestsellers.",
    "calibration": "What lists are made of beside what the same customers bought before and "
    "after, by widest category: a good list mixes as the customer does.",
    "learning": "Everything is refitted on a part of the training side and judged on the same "
    "customers. A curve that still rises says that more data would help; a flat one that the "
    "models are the limit.",
}
"""By plot; those of slices share one."""
SLICES = (
    "The lead in every slice with its interval, coloured where it is significant after Holm's "
    "correction for all slices."
)


def write_report(path: Path, found: Findings, *, now: datetime) -> Path:
    """Writes the page, and every figure beside it as JSON.

    Args:
        path: the HTML file.
        found: what to report.
        now: said at the end of the page.

    Returns:
        The JSON file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page(found, now=now), encoding="utf-8")
    part.replace(path)
    figures = path.with_suffix(".json")
    write_figures(figures, found.rows)
    return figures


def page(found: Findings, *, now: datetime) -> str:
    """Returns the whole page."""
    ours, study = found.names[0], found.study
    config = found.configs.get(ours)
    slices = {f"slices-{name}": name for name in found.outcomes}
    drawn = _figures(found, slices)
    room = files("evaluation.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(room.joinpath("page.html.jinja").read_text("utf-8"))
    return template.render(
        style=room.joinpath("style.css").read_text("utf-8"),
        title=f"How good the lists are: {study.dataset}",
        subtitle=f"{ours} against {', '.join(found.names[1:]) or 'nothing'} · protocol "
        f"{study.protocol}, {study.variant}",
        ours=ours,
        sentences=words.sentences(found),
        figures=drawn,
        legends=_legends(found, slices),
        captions=CAPTIONS | dict.fromkeys(slices, SLICES),
        headline=facts.headline_table(found),
        slices=[(key, facts.slice_table(found, slices[key])) for key in slices if drawn[key]],
        slice_definitions=facts.slice_definitions(found),
        examples=list(example_tables(found)),
        models=facts.model_table(config) if config else None,
        placements=facts.placement_table(config) if config else None,
        config=json.dumps(config.model_dump(mode="json"), indent=2) if config else "",
        data=facts.data_table(found),
        costs=facts.cost_table(found),
        all_figures=list(facts.figure_tables(found)),
        protocol=words.protocol(found),
        intervals=words.INTERVALS,
        definitions=facts.definition_table(found),
        footer=f"Made by recsys, {now:%Y-%m-%d %H:%M} UTC. Training data "
        f"{found.split.train.digest[:12]}, seed {study.seed}.",
    )


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend."""

    name: str
    colour: str
    diamond: bool = False


def _legends(found: Findings, slices: Iterable[str]) -> dict[str, list[Key]]:
    """Returns by plot what its colours mean."""
    ours = [Key(name, colour(place)) for place, name in enumerate(found.names)]
    own = [Key(BEFORE, INK, diamond=True), Key(AFTER, MUTED, diamond=True)]
    verdicts = [Key(name, shade) for name, shade in plots.VERDICTS.items()]
    return {
        "headline": [],
        **dict.fromkeys(("curves", "coverage", "popularity", "learning"), ours),
        "calibration": own + ours,
        **dict.fromkeys(slices, verdicts),
    }


def _figures(found: Findings, slices: Mapping[str, str]) -> dict[str, str]:
    """Returns by name the plots as SVG, empty where there is nothing to draw."""
    charts = {
        "headline": plots.headline(found),
        "curves": plots.curves(found),
        "coverage": plots.coverage(found),
        "popularity": plots.popularity(found),
        "calibration": plots.calibration(found),
        "learning": plots.learning(found),
        **{key: plots.slices(found, placement) for key, placement in slices.items()},
    }
    return {name: "" if chart is None else svg(chart) for name, chart in charts.items()}

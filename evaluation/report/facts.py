"""The tables of a report: figures, what the configuration is, what the data are, what it cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from evaluation.report.findings import Findings
from evaluation.report.words import DEFINITIONS, significance
from evaluation.tables import TWO_DIGITS
from recsys.assembly import FitConfig
from recsys.backtest.measures import METRICS
from recsys.backtest.rows import Row

MARKS = {"better": "▼ worse than ours", "worse": "▲ better than ours", "": "≈ not significant"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["figures", "two", "words"] = "figures"
    """Which columns hold words: the first, the first two, or all."""


def headline_table(found: Findings) -> Table:
    """Returns the headline metric by placement: ours, then every other with our lead over it."""
    rows = []
    ours = found.names[0]
    for placement, outcome in found.outcomes.items():
        own = found.row(placement, ours, found.metric)
        if own is None:
            continue
        customers = f"{len(outcome.cases):,}"
        rows.append((placement, ours, customers, _value(own), "", ""))
        for other in found.names[1:]:
            figure, lead = found.row(placement, other, found.metric), found.lead(placement, other)
            if figure and lead and lead.low is not None and lead.high is not None:
                span = f"{lead.value:+.4f} ({lead.low:+.4f} to {lead.high:+.4f})"
                mark = MARKS[significance(found, placement, other)]
                rows.append(("", other, "", _value(figure), span, mark))
    head = ("placement", "configuration", "customers", f"{found.metric}@{found.k}", "our lead", "")
    return Table(head, tuple(rows), kind="two")


def figure_tables(found: Findings) -> Iterator[tuple[str, Table]]:
    """Yields by placement every metric of every configuration, at the largest k."""
    for placement in found.outcomes:
        names = [n for n in found.names if n in found.outcomes[placement].trials]
        rows = []
        for metric in METRICS:
            figures = [found.row(placement, name, metric) for name in names]
            if any(figures):
                cells = ["" if figure is None else _value(figure) for figure in figures]
                rows.append((f"{metric}@{found.k}", *cells))
        yield placement, Table(("metric", *names), tuple(rows))


def slice_table(found: Findings, placement: str) -> Table:
    """Returns every slice: customers, our value, the best rival's, and our lead."""
    rival = found.rival(placement)
    rows = [
        (
            each.slice,
            f"{each.customers:,}",
            f"{each.values[0]:.4f}",
            f"{each.values[1]:.4f}",
            f"{each.difference.value:+.4f}",
            f"{each.difference.low:+.4f} to {each.difference.high:+.4f}",
            f"{each.p_holm:.3f}",
        )
        for verdict in found.verdicts
        if verdict.placement == placement
        for each in verdict.slices
        if each.second == rival
    ]
    head = ("slice", "customers", found.names[0], rival or "", "lead", "95 % interval", "p (Holm)")
    return Table(head, tuple(rows))


def data_table(found: Findings) -> Table:
    """Returns what the two sides of the cut hold."""
    split, train = found.split, found.split.train
    seen = train.events.select(
        first=pl.col("event_time").min(),
        last=pl.col("event_time").max(),
        customers=pl.col("customer_id").n_unique(),
    ).collect()
    first, last, customers = seen.row(0)
    kinds = train.events.group_by("event_type").len().sort("len", descending=True).collect()
    per_customer = (
        train.events.filter(event_type="purchase")
        .group_by("customer_id")
        .len()
        .select(pl.col("len").median())
        .collect()
        .item()
    )
    counts = split.counts
    rows = [
        ("training side", f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if first else "empty"),
        *((f"{kind} events", f"{number:,}") for kind, number in kinds.iter_rows()),
        ("customers with events", f"{customers:,}"),
        ("items that can be recommended", f"{len(split.items):,}"),
        ("items bought by anybody", f"{int((split.buyers > 0).sum()):,}"),
        ("purchases per buyer, median", f"{per_customer or 0:,.0f}"),
        ("cutoff", f"{split.cutoff:%Y-%m-%d %H:%M} UTC"),
        ("customers judged", f"{len(split.customers):,}"),
        ("purchases judged", f"{len(split.after):,}"),
        ("left out: new customers", f"{counts.new_customers:,}"),
        ("left out: purchases of items not known then", f"{counts.unknown_item_pairs:,}"),
    ]
    return Table(("", ""), tuple(rows))


def model_table(config: FitConfig) -> Table:
    """Returns the models of a configuration with their settings."""
    rows = []
    for name, model in config.models.items():
        settings = model.model_dump(mode="json")
        kind = str(settings.pop("kind"))
        rows.append((name, kind, _settings(settings)))
    return Table(("model", "kind", "settings"), tuple(rows), kind="words")


def placement_table(config: FitConfig) -> Table:
    """Returns which sources make the lists of each placement."""
    rows = []
    for name, placement in config.placements.items():
        settings = placement.model_dump(mode="json")
        uses = [f"{use['name']} {use['weight']:g}" for use in settings.pop("sources")]
        fill = ", then ".join(settings.pop("fill"))
        default = type(placement).model_fields
        rest = {
            key: value
            for key, value in settings.items()
            if value != default[key].get_default(call_default_factory=True)
        }
        rows.append((name, " + ".join(uses), fill, _settings(rest)))
    head = ("placement", "sources", "filled by", "rules")
    return Table(head, tuple(rows), kind="words")


def cost_table(found: Findings) -> Table:
    """Returns what every configuration cost."""
    rows = []
    for name in found.names:
        trials = [
            (outcome, outcome.trials[name])
            for outcome in found.outcomes.values()
            if name in outcome.trials
        ]
        fit = max(trial.fit_seconds for _, trial in trials)
        asked = sum(len(set(outcome.cases.queries)) for outcome, _ in trials)
        lists = sum((trial.labels.seconds or 0) - trial.fit_seconds for _, trial in trials)
        peak = max(trial.labels.peak_mb or 0 for _, trial in trials)
        per_list = 1000 * lists / max(asked, 1)
        rows.append(
            (
                name,
                f"{fit:,.1f}",
                f"{lists:,.1f}",
                f"{asked:,}",
                f"{per_list:,.2f}",
                f"{peak:,.0f}",
            )
        )
    head = (
        *("configuration", "fit, s", "lists, s", "lists"),
        *("ms a list", "peak memory so far, MiB"),
    )
    return Table(head, tuple(rows))


def definition_table(found: Findings) -> Table:
    """Returns what the metrics that were measured mean."""
    measured = {row.metric for row in found.rows}
    rows = [(f"{name}@k", text) for name, text in DEFINITIONS.items() if name in measured]
    return Table(("metric", "definition"), tuple(rows), kind="words")


def slice_definitions(found: Findings) -> Table:
    """Returns what makes the slices, of the first placement."""
    first = next(iter(found.outcomes.values()))
    rows = tuple(first.slices.definitions.items())
    return Table(("slice", "customers"), rows, kind="words")


def _value(row: Row) -> str:
    digits = 2 if row.metric in TWO_DIGITS else 4
    said = f"{row.value:.{digits}f}"
    if row.low is None or row.high is None:
        return said
    return f"{said} ± {(row.high - row.low) / 2:.{digits}f}"


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {_short(value)}" for key, value in settings.items())


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + _settings(value) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_short, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)

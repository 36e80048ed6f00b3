"""One HTML page of an online report, without scripts, that needs nothing from elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import altair as alt
from jinja2 import Environment, StrictUndefined

from evaluation.online import plots, texts
from evaluation.online.texts import DEFINITIONS, TITLES
from evaluation.report.drawing import colour, svg
from recsys.online.figures import METRICS, Figures
from recsys.online.report import OnlineReport

CAPTIONS = {
    "headline": "Each point is a figure of all impressions, each bar its 95 % interval. Bars of "
    "arms may overlap although their difference is significant: that is judged below.",
    "days": "Rates are of the day of the impression, whenever the event followed. Days of few "
    "impressions jump.",
    "comparisons": "The lead of an arm over the first one of its experiment. A bar that does not "
    "touch zero is a difference that chance explains badly.",
}


def write_page(path: Path, found: OnlineReport, *, now: datetime) -> None:
    """Writes the page in one step: whoever reads sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page(found, now=now), encoding="utf-8")
    part.replace(path)


def page(found: OnlineReport, *, now: datetime) -> str:
    """Returns the whole page."""
    charts: Mapping[str, alt.TopLevelMixin | None] = {
        "headline": plots.headline(found),
        "days": plots.days(found),
        "comparisons": plots.comparisons(found),
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(_resource("evaluation.online", "page.html.jinja"))
    return template.render(
        style=_resource("evaluation.report", "style.css"),
        title="What the lists brought",
        subtitle=f"Impressions from {texts.period(found)} · what followed within "
        f"{texts.window(found)}",
        sentences=list(texts.sentences(found)),
        caveats=list(texts.caveats(found)),
        figures={name: "" if chart is None else svg(chart) for name, chart in charts.items()},
        captions=CAPTIONS,
        placements=[(name, colour(place)) for place, name in enumerate(plots.placements(found))],
        verdicts=list(plots.VERDICTS.items()),
        head=("placement", "bundle and arm", "impressions", "customers", *TITLES.values(), "lost"),
        rows=[_row(each) for each in found.figures],
        tests=_tests(found),
        ratios=[(texts.sample_ratio(each), each.mismatch) for each in found.sample_ratios],
        definitions=list(DEFINITIONS.items()),
        footer=f"Made by recsys evaluation online, {now:%Y-%m-%d %H:%M} UTC.",
    )


def _row(each: Figures) -> tuple[str, ...]:
    figures = []
    for metric in METRICS:
        value, interval = texts.estimate(metric, getattr(each, metric))
        figures.append(f"{value} ({interval})" if interval else value)
    counts = f"{each.impressions:,}", f"{each.customers:,}"
    return (each.group.placement, texts.name_of(each.group), *counts, *figures, f"{each.lost:,}")


def _tests(found: OnlineReport) -> list[tuple[str, ...]]:
    return [
        (
            each.placement,
            f"{each.arm} - {each.control}",
            TITLES[each.metric],
            texts.number(each.metric, each.difference.value, sign=True),
            texts.span(each.metric, each.difference, sign=True),
            "" if each.change is None else f"{each.change:+.0%}",
            texts.verdict(each),
        )
        for each in found.comparisons
    ]


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")

"""One HTML page of a campaign's result, without scripts, that needs nothing from elsewhere."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import altair as alt
import polars as pl
from jinja2 import Environment, StrictUndefined

from evaluation.campaign import texts
from evaluation.campaign.texts import TITLES
from evaluation.report.drawing import colour, colours, svg
from recsys.online.campaign import CONTACTED, HELD_OUT, CampaignResult, Verdict
from recsys.online.campaign_effects import METRICS, Side

SIDES = [CONTACTED, HELD_OUT]
CAPTION = (
    "Each point is a figure for one customer of a side, each bar its 95 % interval. Bars may "
    "overlap although the difference is significant: that is judged below."
)
_WIDTH = 170


def write_page(path: Path, found: CampaignResult, *, now: datetime) -> None:
    """Writes the page in one step: whoever reads sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page(found, now=now), encoding="utf-8")
    part.replace(path)


def page(found: CampaignResult, *, now: datetime) -> str:
    """Returns the whole page."""
    chart = _sides(found)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(_resource("evaluation.campaign", "page.html.jinja"))
    return template.render(
        style=_resource("evaluation.report", "style.css"),
        title="What the campaign brought",
        subtitle=f"{texts.subject(found)} · what customers did within "
        f"{texts.days(found.window)} from the draw",
        verdict=texts.verdict(found),
        comparable=found.verdict is Verdict.COMPARABLE,
        chart="" if chart is None else svg(chart),
        caption=CAPTION,
        legend=[(name, colour(place)) for place, name in enumerate(SIDES)],
        effects=[
            (
                TITLES[each.metric],
                texts.number(each.metric, each.difference.value, sign=True),
                texts.span(each.metric, each.difference, sign=True),
                texts.uplift(each.change) if each.metric in ("conversion", "revenue") else "",
                texts.total(each),
                texts.statement(each, found),
            )
            for each in found.effects
        ],
        sides=[_row(each) for each in (found.contacted, found.held_out)],
        head=("", "customers", "still open", *TITLES.values()),
        delivered=texts.delivered(found),
        caveats=list(texts.caveats(found)),
        definitions=list(texts.DEFINITIONS.items()),
        footer=f"Made by recsys evaluation campaign, {now:%Y-%m-%d %H:%M} UTC.",
    )


def _row(side: Side) -> tuple[str, ...]:
    cells = []
    for metric in METRICS:
        figure = getattr(side, metric)
        interval = texts.span(metric, figure)
        value = texts.number(metric, figure.value)
        cells.append(f"{value} ({interval})" if interval else value)
    return (side.name, f"{side.customers:,}", f"{side.open:,}", *cells)


def _sides(found: CampaignResult) -> alt.HConcatChart | None:
    """Returns each figure of both sides with its interval: a panel for each metric."""
    rows = [
        {
            "side": side.name,
            "metric": metric,
            "value": getattr(side, metric).value,
            "low": getattr(side, metric).low,
            "high": getattr(side, metric).high,
        }
        for side in (found.contacted, found.held_out)
        for metric in METRICS
        if side.customers > side.open
    ]
    if not rows:
        return None
    table = pl.DataFrame(rows, infer_schema_length=None)
    panels = [
        _panel(table.filter(pl.col("metric") == metric), metric, labels=not place)
        for place, metric in enumerate(METRICS)
    ]
    return alt.hconcat(*panels)


def _panel(table: pl.DataFrame, metric: str, *, labels: bool) -> alt.LayerChart:
    axis = alt.Axis(labels=labels, ticks=False, domain=False)
    form = ".1%" if metric == "conversion" else ",.2f"
    base = alt.Chart(table).encode(
        color=alt.Color("side:N", scale=colours(SIDES), legend=None),
        y=alt.Y("side:N", sort=SIDES, title=None, axis=axis),
    )
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=None), x2="high:Q")
    x_axis = alt.Axis(format=form, tickCount=3)
    x = alt.X("value:Q", title=None, axis=x_axis, scale=alt.Scale(zero=False))
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(x=x)
    layered = alt.LayerChart(layer=[bars, dots])
    return layered.properties(width=_WIDTH, height=alt.Step(24), title=TITLES[metric])


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")

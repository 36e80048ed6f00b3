"""The plots of an online report; None where there is nothing to draw."""

import altair as alt
import polars as pl

from evaluation.online.texts import TITLES, name_of, span, verdict
from evaluation.report.drawing import MUTED, colours
from recsys.online.figures import METRICS
from recsys.online.report import OnlineReport

VERDICTS = {"better": "var(--good)", "worse": "var(--bad)", "cannot tell": MUTED}
_WIDTH = 190
_FORMATS = {
    "click_through_rate": ".1%",
    "conversion_rate": ".1%",
    "revenue_per_thousand": ",.0f",
    "impressions": ",d",
}
_FEW_DAYS = 2


def placements(found: OnlineReport) -> list[str]:
    """Returns the placements in the report's order: each has its colour in all plots."""
    return list(dict.fromkeys(each.group.placement for each in found.figures))


def headline(found: OnlineReport) -> alt.HConcatChart | None:
    """Returns every figure with its interval: a panel for each metric."""
    rows = [
        {
            "group": f"{each.group.placement}: {name_of(each.group)}",
            "placement": each.group.placement,
            "metric": metric,
            "value": getattr(each, metric).value,
            "low": getattr(each, metric).low,
            "high": getattr(each, metric).high,
            "says": span(metric, getattr(each, metric)),
        }
        for each in found.figures
        for metric in METRICS
        if each.impressions
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(str(row["group"]) for row in rows))
    table = pl.DataFrame(rows, infer_schema_length=None)
    panels = [
        _panel(table.filter(pl.col("metric") == metric), metric, order, found, labels=not place)
        for place, metric in enumerate(METRICS)
    ]
    return alt.hconcat(*panels)


def days(found: OnlineReport) -> alt.ConcatChart | None:
    """Returns impressions and rates day by day."""
    if len({each.day for each in found.days}) < _FEW_DAYS:
        return None
    names = {"impressions": "impressions a day", **TITLES}
    rows = [
        {"placement": each.placement, "day": each.day, **{n: getattr(each, n) for n in names}}
        for each in found.days
    ]
    base = alt.Chart(pl.DataFrame(rows)).encode(
        x=alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=4)),
        color=alt.Color("placement:N", scale=colours(placements(found)), legend=None),
    )
    panels = []
    for name, title in names.items():
        axis = alt.Axis(format=_FORMATS[name])
        y = alt.Y(f"{name}:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
        line = base.mark_line(strokeWidth=2).encode(y=y)
        dots = base.mark_point(size=22, filled=True, opacity=1).encode(y=y)
        panels.append(alt.layer(line, dots).properties(width=340, height=130, title=title))
    return alt.concat(*panels, columns=2)


def comparisons(found: OnlineReport) -> alt.HConcatChart | None:
    """Returns the lead of every arm over the first one: a panel for each metric."""
    rows = [
        {
            "test": f"{each.placement}: {each.arm} - {each.control}",
            "metric": each.metric,
            "value": each.difference.value,
            "low": each.difference.low,
            "high": each.difference.high,
            "is": verdict(each),
            "says": span(each.metric, each.difference, sign=True),
        }
        for each in found.comparisons
        if each.difference.low is not None
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(str(row["test"]) for row in rows))
    scale = alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values()))
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=MUTED).encode(x="zero:Q")
    panels = []
    for place, metric in enumerate(METRICS):
        table = pl.DataFrame([row for row in rows if row["metric"] == metric])
        if table.is_empty():
            continue
        colour = alt.Color("is:N", scale=scale, legend=None)
        layers = _marks(table, metric, order, colour, labels=not place)
        panel = alt.layer(zero, *layers)
        panels.append(panel.properties(width=_WIDTH, height=alt.Step(26), title=TITLES[metric]))
    return alt.hconcat(*panels)


def _panel(
    table: pl.DataFrame, metric: str, order: list[str], found: OnlineReport, *, labels: bool
) -> alt.LayerChart:
    colour = alt.Color("placement:N", scale=colours(placements(found)), legend=None)
    layers = _marks(table, metric, order, colour, labels=labels)
    layered = alt.LayerChart(layer=list(layers))
    return layered.properties(width=_WIDTH, height=alt.Step(24), title=TITLES[metric])


def _marks(
    table: pl.DataFrame, metric: str, order: list[str], colour: alt.Color, *, labels: bool
) -> tuple[alt.Chart, alt.Chart]:
    """Returns bars of intervals and dots; rows are named in the first panel alone."""
    column = "test" if "test" in table.columns else "group"
    axis = alt.Axis(labels=labels, ticks=False, domain=False, labelLimit=260)
    y = alt.Y(f"{column}:N", sort=order, title=None, axis=axis)
    x_axis = alt.Axis(format=_FORMATS[metric], tickCount=3)
    x = alt.X("value:Q", title=None, axis=x_axis, scale=alt.Scale(zero=False))
    base = alt.Chart(table).encode(color=colour, y=y)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=None), x2="high:Q")
    tips = [column, "value", "says"]
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(x=x, tooltip=tips)
    return bars, dots

"""The plots of a report, each from figures to a chart; None where there is nothing to draw."""

from collections.abc import Sequence

import altair as alt
import polars as pl

from evaluation.report.drawing import INK, LINE, MUTED, colours
from evaluation.report.findings import Findings
from recsys.backtest.mixes import AFTER, BEFORE, category_mix
from recsys.backtest.popularity_buckets import BUCKETS, recall_by_popularity
from recsys.backtest.verdicts import verdict

CURVES = ("ndcg", "recall", "precision")
MAX_CATEGORIES = 12
MIX_PLACEMENTS = ("for_you", "discover")
VERDICTS = {"better": "var(--good)", "worse": "var(--bad)", "not significant": MUTED}
PANEL: dict[str, int] = {"width": 215, "height": 150}

Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart


def headline(found: Findings) -> Chart | None:
    """Returns the headline metric of every configuration and placement, with intervals."""
    rows = [
        _figure(found, placement, name, found.metric, found.k)
        for placement in found.outcomes
        for name in found.names
    ]
    table = _table(rows)
    if table.is_empty():
        return None
    panel = {"width": 250, "height": 22 * len(found.names)}
    y = alt.Y("configuration:N", sort=found.names, title=None)
    x = alt.X("value:Q", title=f"{found.metric}@{found.k}", scale=alt.Scale(zero=False))
    base = _coloured(alt.Chart(table), found.names)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y)
    dots = base.mark_point(size=60, filled=True, opacity=1).encode(x=x, y=y)
    return _facets(alt.LayerChart(layer=[bars, dots]).properties(**panel), found)


def curves(found: Findings) -> Chart | None:
    """Returns accuracy over k, with intervals."""
    rows = [
        _figure(found, placement, name, metric, k)
        for placement in found.outcomes
        for name in found.names
        for metric in CURVES
        for k in found.study.ks
    ]
    table = _table(rows)
    if table.is_empty() or len(found.study.ks) == 1:
        return None
    base = _coloured(alt.Chart(table), found.names)
    x = alt.X("k:Q", title="k", axis=alt.Axis(values=list(found.study.ks)))
    panel = _band(base, x, None).properties(**PANEL)
    rows_of = [
        panel.transform_filter(alt.datum.placement == placement)
        .facet(column=alt.Column("panel:N", sort=[f"{placement}: {name}" for name in CURVES]))
        .resolve_scale(y="independent")
        for placement in found.outcomes
    ]
    return alt.vconcat(*rows_of)


def slices(found: Findings, placement: str) -> Chart | None:
    """Returns the first configuration's lead over its best rival in every slice."""
    rival = found.rival(placement)
    tested = [
        each
        for verdict in found.verdicts
        if verdict.placement == placement
        for each in verdict.slices
        if each.second == rival
    ]
    if not tested:
        return None
    table = pl.DataFrame(
        [
            {
                "slice": f"{each.slice} ({each.customers:,})",
                "lead": each.difference.value,
                "low": each.difference.low,
                "high": each.difference.high,
                "is": _verdict(each.difference.value, each.p_holm),
            }
            for each in tested
        ]
    )
    scale = alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values()))
    y = alt.Y("slice:N", sort=table["slice"].to_list(), title=None)
    x = alt.X("lead:Q", title=f"{found.metric}@{found.k}: lead over {rival}")
    base = alt.Chart(table).encode(color=alt.Color("is:N", scale=scale, legend=None))
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=MUTED).encode(x="zero:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", y=y)
    dots = base.mark_point(size=50, filled=True, opacity=1).encode(x=x, y=y)
    return alt.LayerChart(layer=[zero, bars, dots]).properties(
        width=480, height=alt.Step(19), title=placement
    )


def coverage(found: Findings) -> Chart | None:
    """Returns accuracy against the share of the catalogue that lists show."""
    rows = []
    for placement in found.outcomes:
        for name in found.names:
            figure = _figure(found, placement, name, found.metric, found.k)
            shown = found.row(placement, name, "coverage")
            rows.append({**figure, "coverage": shown.value} if figure and shown else None)
    table = _table(rows)
    if table.is_empty():
        return None
    base = _coloured(alt.Chart(table), found.names)
    x = alt.X("coverage:Q", title=f"coverage@{found.k}", axis=alt.Axis(format="%", tickCount=3))
    y = alt.Y("value:Q", title=f"{found.metric}@{found.k}", scale=alt.Scale(zero=False))
    bars = base.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_point(size=80, filled=True, opacity=1).encode(x=x, y=y)
    return _facets(alt.LayerChart(layer=[bars, dots]).properties(**PANEL), found)


def popularity(found: Findings) -> Chart:
    """Returns recall of popular and of rare items."""
    rows = [
        {
            "placement": placement,
            "configuration": each.configuration,
            "bucket": _bucket(each.bucket),
            "items": f"{each.items:,}",
            "of the right items": f"{each.right_share:.0%}",
            "value": each.value,
            "low": each.low,
            "high": each.high,
        }
        for placement, outcome in found.outcomes.items()
        for each in recall_by_popularity(outcome, found.k, seed=found.study.seed)
    ]
    base = _coloured(alt.Chart(pl.DataFrame(rows)), found.names)
    order = [_bucket(number) for number in range(BUCKETS)]
    x = alt.X("bucket:N", sort=order, title="fifths of all sales", axis=alt.Axis(labelAngle=0))
    tips = ["configuration", "bucket", "items", "of the right items", "value"]
    panel = _band(base, x, f"recall@{found.k}", details=tips).properties(**PANEL)
    return _facets(panel, found)


def calibration(found: Findings) -> Chart | None:
    """Returns what lists are made of beside what the same customers buy."""
    rows = [
        {"placement": placement, "who": each.who, "category": each.category, "share": each.share}
        for placement, outcome in found.outcomes.items()
        if placement in MIX_PLACEMENTS
        for each in category_mix(outcome, found.k)
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(str(row["category"]) for row in rows))[:MAX_CATEGORIES]
    table = pl.DataFrame(rows).filter(pl.col("category").is_in(order))
    who = [BEFORE, AFTER, *found.names]
    named = colours(found.names)
    scale = alt.Scale(domain=who, range=[INK, MUTED, *named.to_dict()["range"]])
    y = alt.Y("category:N", sort=order, title=None)
    x = alt.X("share:Q", title="mean share of a customer's items", axis=alt.Axis(format="%"))
    base = alt.Chart(table).encode(x=x, y=y)
    spans = base.mark_rule(color=LINE, strokeWidth=2).encode(
        x=alt.X("min(share):Q"), x2="max(share):Q"
    )
    dots = base.mark_point(size=60, filled=True, opacity=0.9).encode(
        color=alt.Color("who:N", scale=scale, legend=None),
        shape=alt.Shape(
            "who:N",
            scale=alt.Scale(domain=who, range=["diamond", "diamond", *["circle"] * len(who)]),
            legend=None,
        ),
    )
    panel = alt.LayerChart(layer=[spans, dots]).properties(width=300, height=alt.Step(20))
    return panel.facet(column=alt.Column("placement:N", sort=list(MIX_PLACEMENTS)))


def learning(found: Findings) -> Chart | None:
    """Returns the headline metric over the part of the training side that was fitted on."""
    if not found.learning:
        return None
    rows = [
        {
            "placement": each.placement,
            "configuration": each.configuration,
            "share": each.share,
            "value": each.value,
            "low": each.low,
            "high": each.high,
        }
        for each in found.learning
    ]
    base = _coloured(alt.Chart(pl.DataFrame(rows)), found.names)
    shares = sorted({each.share for each in found.learning})
    x = alt.X(
        "share:Q",
        title=f"part of the {found.learning_of}",
        scale=alt.Scale(type="log", base=2),
        axis=alt.Axis(values=shares, format=".1%", labelExpr=_FRACTION),
    )
    panel = _band(base, x, f"{found.metric}@{found.k}").properties(**PANEL)
    return _facets(panel, found)


_FRACTION = "datum.value >= 1 ? 'all' : '1/' + round(1 / datum.value)"


def _figure(
    found: Findings, placement: str, name: str, metric: str, k: int
) -> dict[str, object] | None:
    row = found.row(placement, name, metric, k)
    if row is None or row.low is None:
        return None
    return {
        "placement": placement,
        "panel": f"{placement}: {metric}",
        "configuration": name,
        "k": k,
        "value": row.value,
        "low": row.low,
        "high": row.high,
    }


def _table(rows: Sequence[dict[str, object] | None]) -> pl.DataFrame:
    return pl.DataFrame([row for row in rows if row])


def _coloured(chart: alt.Chart, names: Sequence[str]) -> alt.Chart:
    return chart.encode(color=alt.Color("configuration:N", scale=colours(names), legend=None))


def _band(
    base: alt.Chart, x: alt.X, title: str | None, *, details: Sequence[str] = ()
) -> alt.LayerChart:
    """Returns a line with its points and the interval around it."""
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    band = base.mark_area(opacity=0.13).encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(x=x, y=y)
    dots = base.mark_point(size=40, filled=True, opacity=1).encode(x=x, y=y)
    dots = dots.encode(tooltip=list(details)) if details else dots
    return alt.LayerChart(layer=[band, line, dots])


def _facets(panel: alt.LayerChart, found: Findings) -> alt.FacetChart:
    """Returns a panel for each placement, three in a row, each with axes of its own."""
    placements = alt.Facet("placement:N", sort=list(found.outcomes))
    faceted: alt.FacetChart = panel.facet(facet=placements, columns=3).resolve_scale(
        x="independent", y="independent"
    )
    return faceted


def _bucket(number: int) -> str:
    return ("top", "2nd", "3rd", "4th", "rest")[number] if number < BUCKETS else str(number)


def _verdict(difference: float, p_holm: float) -> str:
    return verdict(difference, p_holm) or "not significant"

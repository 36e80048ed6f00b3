"""The plots of a study of uplift."""

import altair as alt
import numpy as np
import polars as pl

from evaluation.report.drawing import INK, MUTED, colour, colours
from evaluation.uplift.findings import UpliftFindings
from recsys.backtest.significance import LEVEL
from recsys.backtest.uplift import GRID, RANDOM

TAIL = (1 - LEVEL) / 2


def qini_curves(found: UpliftFindings) -> alt.TopLevelMixin:
    """Returns the mean Qini curve of each contender, ours with the band of its splits."""
    names = [name for name in found.judged if name != RANDOM]
    rows = [
        {"share": share, "gain": gain, "contender": name}
        for name in names
        for share, gain in zip(GRID, found.judged[name].curves.mean(axis=0), strict=True)
    ]
    low, high = np.quantile(found.judged[found.ours].curves, [TAIL, 1 - TAIL], axis=0)
    band = pl.DataFrame({"share": GRID, "low": low, "high": high})
    end = float(found.judged[found.ours].curves[:, -1].mean())
    straight = pl.DataFrame({"share": [0.0, 1.0], "gain": [0.0, end]})
    x = alt.X(
        "share:Q",
        title="part of the customers that is treated, highest forecasts first",
        axis=alt.Axis(format="%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    title = f"{found.columns.outcome} gained for each treated customer of all"
    lines = (
        alt.Chart(pl.DataFrame(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=alt.Y("gain:Q", title=title),
            color=alt.Color("contender:N", scale=colours(names), legend=None),
        )
    )
    area = (
        alt.Chart(band)
        .mark_area(opacity=0.16, color=colour(0))
        .encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q")
    )
    random = (
        alt.Chart(straight)
        .mark_line(strokeDash=[4, 4], strokeWidth=1.2, color=MUTED)
        .encode(x=x, y="gain:Q")
    )
    return alt.layer(area, random, lines).properties(width=640, height=300)


def calibration(found: UpliftFindings) -> alt.TopLevelMixin | None:
    """Returns forecast beside what happened, bin by bin; None without two bins."""
    bins = found.bins
    if len(bins.rows) < 2:  # noqa: PLR2004
        return None
    reach = 1.96 * bins.errors
    table = pl.DataFrame(
        {
            "expected": bins.expected,
            "happened": bins.happened,
            "low": bins.happened - reach,
            "high": bins.happened + reach,
            "says": [
                f"forecast {forecast:+.4f}, happened {happened:+.4f}, {rows:,.0f} customers"
                for forecast, happened, rows in zip(
                    bins.expected, bins.happened, bins.rows, strict=True
                )
            ],
        }
    )
    ends = [float(bins.expected.min()), float(bins.expected.max())]
    line = (
        alt.Chart(pl.DataFrame({"expected": ends, "happened": ends}))
        .mark_line(strokeDash=[4, 4], strokeWidth=1.2, color=MUTED)
        .encode(x="expected:Q", y="happened:Q")
    )
    x = alt.X("expected:Q", title="uplift that was forecast", scale=alt.Scale(zero=False))
    bars = (
        alt.Chart(table)
        .mark_rule(color=INK, opacity=0.5)
        .encode(x=x, y=alt.Y("low:Q", title="uplift that happened"), y2="high:Q")
    )
    dots = (
        alt.Chart(table)
        .mark_point(filled=True, size=60, opacity=1, color=colour(0))
        .encode(x=x, y="happened:Q", description="says:N")
    )
    return alt.layer(line, bars, dots).properties(width=640, height=260)


def leads(found: UpliftFindings) -> alt.TopLevelMixin:
    """Returns the Qini of every contender, split by split."""
    rows = [
        {"contender": name, "qini": value}
        for name, judged in found.judged.items()
        for value in judged.of("qini")
    ]
    names = list(found.judged)
    y = alt.Y("contender:N", title=None, sort=names)
    base = alt.Chart(pl.DataFrame(rows))
    ticks = base.mark_tick(thickness=1.2, opacity=0.45).encode(
        x=alt.X("qini:Q", title="Qini of each half split"),
        y=y,
        color=alt.Color("contender:N", scale=colours(names), legend=None),
    )
    means = base.mark_point(filled=True, size=70, opacity=1, color=INK).encode(
        x="mean(qini):Q", y=y
    )
    zero = (
        alt.Chart(pl.DataFrame({"qini": [0.0]}))
        .mark_rule(strokeDash=[4, 4], color=MUTED)
        .encode(x="qini:Q")
    )
    return alt.layer(zero, ticks, means).properties(width=640, height=26 * len(names))

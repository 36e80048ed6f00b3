"""How plots look: static SVG whose colours are variables of the page, so that themes apply."""

import re
from collections.abc import Sequence

import altair as alt
import vl_convert

COLOURS = 8
"""Series colours that the page defines as --c0 to --c7."""
INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
FONT = "'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
_MARK = re.compile(r'<path aria-label="([^"]*)"([^>]*)/>')


def colours(names: Sequence[str]) -> alt.Scale:
    """Returns a colour for each name: the same one in all plots of a page."""
    return alt.Scale(domain=list(names), range=[colour(place) for place in range(len(names))])


def colour(place: int) -> str:
    """Returns the colour of the configuration at a place."""
    return f"var(--c{place % COLOURS})"


def svg(chart: alt.TopLevelMixin) -> str:
    """Draws a chart; what a mark says to screen readers is also shown under the pointer."""
    spec = chart.to_dict()
    spec["config"] = _LOOK
    drawn = vl_convert.vegalite_to_svg(spec)
    return _MARK.sub(r'<path aria-label="\1"\2><title>\1</title></path>', drawn)


_LOOK = {
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelLimit": 220,
        "tickCount": 5,
        "titlePadding": 9,
    },
    "header": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelFontWeight": 600,
        "title": None,
        "labelAnchor": "start",
    },
    "title": {"color": INK, "fontSize": 12, "fontWeight": 600, "anchor": "start"},
}

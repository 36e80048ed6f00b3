"""A campaign's result in a terminal."""

from rich import box
from rich.table import Table

from evaluation.campaign.texts import TITLES, number, span, statement, total, uplift
from recsys.online.campaign import CampaignResult
from recsys.online.campaign_effects import METRICS, EffectVerdict

_COLOURS = {EffectVerdict.TOO_FEW: "dim"}


def side_table(found: CampaignResult) -> Table:
    """Returns the figures of both sides, each with its interval below."""
    table = _table("For each customer whose window has run out")
    table.add_column("")
    for name in ("customers", "still open", *TITLES.values()):
        table.add_column(name, justify="right", no_wrap=True)
    for side in (found.contacted, found.held_out):
        cells = []
        for metric in METRICS:
            figure = getattr(side, metric)
            below = span(metric, figure)
            value = number(metric, figure.value)
            cells.append(f"{value}\n[dim]{below}[/]" if below else value)
        table.add_row(side.name, f"{side.customers:,}", f"{side.open:,}", *cells)
    return table


def effect_table(found: CampaignResult) -> Table:
    """Returns what being contacted changed."""
    table = _table("What being contacted changed")
    table.add_column("")
    for name in ("difference", "95 % interval", "uplift", "over all contacted"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in found.effects:
        colour = _COLOURS.get(each.verdict, "bold")
        table.add_row(
            TITLES[each.metric],
            number(each.metric, each.difference.value, sign=True),
            span(each.metric, each.difference, sign=True),
            "" if each.metric in ("cost", "gain") else uplift(each.change),
            total(each),
            f"[{colour}]{statement(each, found)}[/]",
        )
    return table


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )

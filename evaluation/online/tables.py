"""An online report in a terminal of 80 columns."""

from collections.abc import Iterator

from rich import box
from rich.markup import escape
from rich.table import Table

from evaluation.online.texts import TITLES, estimate, number, short, span, verdict
from recsys.online.comparisons import Comparison
from recsys.online.figures import METRICS
from recsys.online.report import OnlineReport
from recsys.store.impressions import Group

_COLOURS = {"better": "green", "worse": "red", "cannot tell": "dim"}


def figure_tables(found: OnlineReport) -> Iterator[Table]:
    """Yields a table for each placement: a row for each bundle and arm."""
    for placement in dict.fromkeys(each.group.placement for each in found.figures):
        table = _table(placement)
        table.add_column("arm\nbundle", no_wrap=True)
        for name in (
            "impressions\ncustomers",
            *(title.replace(" per", "\nper") for title in TITLES.values()),
        ):
            table.add_column(name, justify="right", no_wrap=True)
        for each in found.figures:
            if each.group.placement == placement:
                cells = [_cell(*estimate(metric, getattr(each, metric))) for metric in METRICS]
                counts = f"{each.impressions:,}\n[dim]{each.customers:,}[/]"
                table.add_row(_label(each.group), counts, *(cells if each.impressions else ()))
        yield table


def comparison_tables(found: OnlineReport) -> Iterator[Table]:
    """Yields a table for each arm of each placement against the first of its experiment."""
    tests: dict[tuple[str, str, str, str], list[Comparison]] = {}
    for each in found.comparisons:
        key = (each.placement, each.experiment, each.arm, each.control)
        tests.setdefault(key, []).append(each)
    for (placement, experiment, arm, control), tested in tests.items():
        table = _table(escape(f"{placement}, {experiment}: {arm} against {control}"))
        table.add_column("")
        for name in ("difference", "95 % interval", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("")
        for each in tested:
            said = verdict(each)
            table.add_row(
                TITLES[each.metric],
                number(each.metric, each.difference.value, sign=True),
                span(each.metric, each.difference, sign=True),
                "" if each.change is None else f"{each.change:+.0%}",
                f"[{_COLOURS[said]}]{said}[/]",
            )
        yield table


def _label(group: Group) -> str:
    if not group.bundle_version:
        return "all"
    bundle = short(group.bundle_version)
    test = f"{group.experiment}/{group.arm}\n[dim]{escape(bundle)}[/]"
    return test if group.experiment else f"[dim]{escape(bundle)}[/]"


def _cell(value: str, interval: str) -> str:
    return f"{value}\n[dim]{interval}[/]" if interval else value


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )

"""The verb `campaign`: what a plan or an offer brought against those held out of it."""

import time
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from evaluation.campaign import texts
from evaluation.campaign.document import document
from evaluation.campaign.tables import effect_table, side_table
from evaluation.online.command import FORMATS, ArchivesOption, StoreOption, hours_of, micros_of
from evaluation.report.collect import check_report
from recsys.online.campaign import CampaignResult, Verdict, campaign
from recsys.protocols.outputs import output_file
from recsys.store.open import open_store

PlanOption = Annotated[
    str, typer.Option("--plan", metavar="PLAN_ID", help="A plan: recsys plans list.")
]
OfferOption = Annotated[
    str, typer.Option("--offer", metavar="OFFER_ID", help="Instead: an offer, live calls and all.")
]
WindowOption = Annotated[
    str,
    typer.Option(
        "--window",
        help="How long from the draw on purchases count: 24h, 14d [as the plan was made, 14d].",
    ),
]
FromOption = Annotated[
    datetime | None, typer.Option("--from", formats=FORMATS, help="First draw, UTC [all].")
]
ToOption = Annotated[
    datetime | None,
    typer.Option("--to", formats=FORMATS, help="First moment after the last draw, UTC [now]."),
]
MarginOption = Annotated[
    float, typer.Option("--margin", min=0, max=1, help="The part of revenue that is gain.")
]
JsonOption = Annotated[
    Path | None,
    typer.Option("--json", callback=output_file, help="Write all figures here."),
]
PageOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        callback=output_file,
        help="Write one self-contained page with plots here.",
    ),
]


def campaign_command(
    *,
    store: StoreOption,
    plan: PlanOption = "",
    offer: OfferOption = "",
    archives: ArchivesOption = None,
    window: WindowOption = "",
    since: FromOption = None,
    until: ToOption = None,
    margin: MarginOption = 1.0,
    json: JsonOption = None,
    page: PageOption = None,
) -> None:
    """Report what a campaign brought against the customers held out of it.

    Conversion, revenue, cost and gain of both sides, the difference with its interval, and
    whether the sides may be compared at all. Customers count as they were drawn. The store is
    only read; a running server is not disturbed. docs/campaigns.md says what is counted.

    \b
    recsys evaluation campaign --store store://var/store \\
        --plan plan-20260401t080000z-1a2b3c4d
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    if bool(plan) == bool(offer):
        message = "name one of --plan and --offer"
        raise typer.BadParameter(message)
    check_report(page, None)
    console = Console()
    opened = open_store(store, archives=archives, role="reader")
    try:
        with console.status("reading who was drawn and what they bought"):
            found = campaign(
                opened,
                plan_id=plan,
                offer_id=offer,
                now=time.time_ns() // 1_000,
                window=hours_of(window) if window else None,
                since=micros_of(since) if since else 0,
                until=micros_of(until) if until else None,
                margin=margin,
            )
    finally:
        opened.close()
    _print(console, found)
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(dumps(document(found), indent=2) + "\n", encoding="utf-8")
    if page:
        # Plotting is an extra: without --report nothing of it is imported.
        from evaluation.campaign.page import write_page  # noqa: PLC0415

        with console.status("drawing the report"):
            write_page(page, found, now=datetime.now(UTC))
        console.print(f"Report: [bold]{escape(str(page))}[/]", highlight=False)


def _print(console: Console, found: CampaignResult) -> None:
    console.print(
        f"{texts.subject(found)}: what customers did within {texts.days(found.window)} from the "
        "draw.",
        highlight=False,
        markup=False,
    )
    colour = "bold" if found.verdict is Verdict.COMPARABLE else "bold red"
    console.print(f"[{colour}]{escape(texts.verdict(found))}[/]", highlight=False)
    console.print(side_table(found))
    if found.effects:
        console.print(effect_table(found))
    console.print(texts.delivered(found), highlight=False)
    for caveat in texts.caveats(found):
        console.print(f"[yellow]{escape(caveat)}[/]", highlight=False)
    console.print("docs/campaigns.md defines all of it.", style="dim", highlight=False)

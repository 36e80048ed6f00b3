"""The verbs `plans list` and `plans cancel`: what was planned, and giving it back."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from recsys.offers.offer import MICROS
from recsys.store.open import now_us
from recsys.store.plans import Plans
from training.sources import opened_store

app = typer.Typer(help="Look at campaign plans, give one back.", no_args_is_help=True)

UrlArgument = Annotated[
    str, typer.Argument(metavar="URL", help="store://FOLDER or postgresql://...")
]
PlanArgument = Annotated[str, typer.Argument(metavar="PLAN_ID", help="As the manifest has it.")]


@app.command("list")
def list_command(url: UrlArgument) -> None:
    """Show the finished plans of a store, the latest first."""
    console = Console()
    with opened_store(url, None) as store:
        plans = Plans(store).all()
    table = Table("plan", "made", "rows", "expected value", "gap", box=None)
    for plan in plans:
        made = datetime.fromtimestamp(plan.create_time / MICROS, UTC)
        table.add_row(
            plan.plan_id,
            f"{made:%Y-%m-%d %H:%M}",
            f"{plan.row_count:,}",
            f"{plan.expected_value:,.2f}",
            f"{plan.gap:.3%}",
        )
    console.print(table, highlight=False)


@app.command("cancel")
def cancel_command(url: UrlArgument, plan_id: PlanArgument) -> None:
    """Give back the vouchers and budgets of a plan's contacts that were not sent yet.

    So can one that was broken off while it was reserved. What was sent stays.
    """
    console = Console()
    with opened_store(url, None, "command") as store:
        cancelled = Plans(store).cancel(plan_id, now_us())
    console.print(f"{cancelled:,} contacts of {plan_id} were cancelled", highlight=False)

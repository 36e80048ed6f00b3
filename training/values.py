"""The verb `values`: what offers are worth, learned from a store."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.bundle import activate, prune
from recsys.config import read_toml_file, validated
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.errors import DataError
from recsys.fitting.contact_rows import CONTACT_SCHEMA
from recsys.fitting.offer_values import FittedValues, fit_values
from recsys.offer_values import load_values, write_values
from recsys.offers.learned_values import ValuesConfig
from recsys.offers.offer import Offer
from recsys.offers.values import ValueBasis
from recsys.protocols.outputs import output_folder
from recsys.store.store import Store
from recsys.store.tables import contacts as contact_table
from recsys.store.tables import counters
from recsys.store.tables import offers as offer_table
from training.run_data import opened_data
from training.sources import ArchivesOption, opened_store, shown
from training.store_feed import StoreFeed

SourceOption = Annotated[
    list[str],
    typer.Option(
        "--source",
        metavar="URL|FOLDER",
        help="The store with the contacts (store://FOLDER, postgresql://...), whose log is read "
        "as well; again for prepared data sets with more events.",
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", callback=output_folder, help="Folder of all versions of values.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML with other settings: docs/offer-values.md.")
]
WindowOption = Annotated[
    float | None,
    typer.Option("--window-days", help="How long after a contact purchases count.  [28]"),
]
MarginOption = Annotated[
    float | None,
    typer.Option("--margin", help="The part of what customers pay that is gain.  [1]"),
]
KeepOption = Annotated[int, typer.Option("--keep", min=1, help="Newest versions to keep.")]
ActivateOption = Annotated[
    bool,
    typer.Option("--activate/--candidate", help="Make it current, or leave it as a candidate."),
]
_PAGE = 50_000
_SECOND = 1_000_000


def values_command(
    *,
    source: SourceOption,
    out: OutOption,
    archives: ArchivesOption = None,
    config: ConfigOption = None,
    window_days: WindowOption = None,
    margin: MarginOption = None,
    keep: KeepOption = 5,
    make_current: ActivateOption = True,
) -> None:
    """Learn what offers are worth: who redeems them, and who buys because of them.

    Contacts, redemptions and hold-outs come from the store's ledger, purchases and views from its
    log. Who buys because of an offer is learned from customers who were held out at random alone;
    where there are too few, this says so and values are of who redeems. Servers that follow --out
    take the new version up by themselves. How good it is: recsys evaluation uplift.

    \b
    recsys values --source store://var/store --out var/values --margin 0.3
    """  # noqa: D301  # click looks for the character itself
    console, settings = Console(), _settings(config, window_days, margin)
    urls = [each for each in source if "://" in each]
    if len(urls) != 1:
        message = "--source must name one store: that is where contacts are"
        raise typer.BadParameter(message)
    with opened_store(urls[0], archives) as store:
        contacts, offers = _ledger(store, shown(urls[0]))
    if not len(contacts):
        message = f"{shown(urls[0])}: has no contacts: nothing was offered yet"
        raise DataError(message, url=shown(urls[0]))
    now = datetime.now(UTC)
    with opened_data(console, None, source, archives) as dataset:
        with bars(console) as progress:
            fitted = fit_values(
                contacts,
                offers,
                dataset,
                settings,
                end_time=int(now.timestamp()),
                progress=progress,
            )
        path = _written(out, fitted, dataset, contacts, now)
    values = load_values(path)
    if make_current:
        activate(out, path.name)
    removed = prune(out, keep)
    console.print(_offers(fitted))
    _say(console, fitted, values.bases)
    state = "current" if make_current else "a candidate: recsys bundles activate"
    console.print(f"Values [bold]{escape(str(path))}[/] are {state}")
    for old in removed:
        console.print(f"removed {old.name}")


def _settings(
    config: Path | None, window_days: float | None, margin: float | None
) -> ValuesConfig:
    values, lines = read_toml_file(config) if config else ({}, None)
    validated(ValuesConfig, values, where=str(config), lines=lines)
    options = {"window_days": window_days, "margin": margin}
    values |= {name: value for name, value in options.items() if value is not None}
    return validated(ValuesConfig, values, where="options")


def _ledger(store: Store, name: str) -> tuple[pl.DataFrame, list[Offer]]:
    """Reads contacts and offers, without customers who refused that anything learns from them."""
    feed = StoreFeed.of(store, name)
    pages = []
    with store.read() as session:
        last = counters.read(session, contact_table.COUNTER)
        offers = [
            Offer.model_validate_json(each.content)
            for each in offer_table.read_all(session, removed=True)
        ]
        for start in range(0, last, _PAGE):
            rows = contact_table.rows_between(session, start, start + _PAGE, _PAGE)
            pages.append(
                _page([dict(zip(contact_table.COLUMNS, row, strict=True)) for row in rows])
            )
    contacts = pl.concat([pl.DataFrame(schema=CONTACT_SCHEMA), *pages])
    # A visitor's contacts are those of the customer who the visitor turned out to be.
    settled = contacts.with_columns(pl.col("customer_id").replace(dict(feed.customer_of)))
    return settled.filter(~pl.col("customer_id").is_in(list(feed.refusing))), offers


def _page(rows: list[dict[str, object]]) -> pl.DataFrame:
    kept = [row for row in rows if row["cancelled_time"] is None]
    columns = {
        "customer_id": [row["customer_id"] for row in kept],
        "offer_id": [row["offer_id"] for row in kept],
        "time": [_seconds(row["choose_time"]) for row in kept],
        "held_out": [bool(row["held_out"]) for row in kept],
        "hold_out_share": [row["hold_out_share"] for row in kept],
        "redeemed_time": [_seconds(row["redeemed_time"]) for row in kept],
    }
    return pl.DataFrame(columns, schema=CONTACT_SCHEMA)


def _seconds(micros: object) -> int | None:
    return None if micros is None else int(str(micros)) // _SECOND


def _written(
    out: Path, fitted: FittedValues, dataset: Dataset, contacts: pl.DataFrame, now: datetime
) -> Path:
    counts = dataset.events.select(pl.len(), customers=pl.col("customer_id").n_unique()).collect()
    ledger = hashlib.sha256(contacts.write_csv().encode()).hexdigest()
    return write_values(
        out,
        fitted.learned,
        fitted.propensity,
        fitted.uplift,
        data={
            "digest": f"{dataset.digest}-{ledger}",
            "events": counts["len"].item(),
            "customers": counts["customers"].item(),
            "items": len(dataset.items),
            "contacts": len(contacts),
        },
        metrics=asdict(fitted.findings),
        now=now,
    )


def _offers(fitted: FittedValues) -> Table:
    table = Table(title="What was seen of each offer", title_justify="left")
    for name in ("offer", "contacts", "redeemed", "held out", "gain of a redemption", "values by"):
        table.add_column(name, justify="left" if name in ("offer", "values by") else "right")
    for offer_id, facts in fitted.learned.offers.items():
        table.add_row(
            escape(offer_id),
            f"{facts.contacts:,}",
            f"{facts.redemptions:,}",
            f"{facts.held_out:,}",
            f"{facts.gain_per_redemption:,.2f}",
            facts.basis.value,
        )
    return table


def _say(console: Console, fitted: FittedValues, bases: Mapping[str, int]) -> None:
    found = fitted.findings
    console.print(
        f"{found.contacts:,} contacts, {found.redemptions:,} redeemed, {found.held_out:,} held "
        f"out; {found.too_young:,} younger than the window were left out.",
        highlight=False,
    )
    if found.propensity_auc is not None:
        console.print(
            f"Who redeems: AUC {found.propensity_auc:.3f} and probabilities off by "
            f"{found.calibration_error:.1%} on the latest contacts, by those before.",
            highlight=False,
        )
    if found.no_uplift:
        console.print(
            f"[yellow]No uplift was learned:[/] {escape(found.no_uplift)}. Values say who "
            "redeems; part of them would have bought anyway.",
            highlight=False,
        )
        return
    console.print(
        f"Who buys because of it: a contact brings {found.mean_uplift:,.2f} ± "
        f"{1.96 * (found.mean_uplift_error or 0.0):,.2f} on average; "
        f"{bases[ValueBasis.UPLIFT.value]} of {sum(bases.values())} offers are valued by it, the "
        f"others by {fitted.learned.incremental_share:.0%} of what redeemers buy.",
        highlight=False,
    )

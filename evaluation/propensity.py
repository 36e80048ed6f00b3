"""The verb `propensity`: who redeems, forecast for offers that came after those learned from."""

from dataclasses import asdict
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from evaluation.options import DataOption, SeedOption
from recsys.backtest.propensity import METRICS, Standing, baselines, stand
from recsys.backtest.significance import Interval
from recsys.data.bars import bars
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.file_errors import naming
from recsys.data.progress import Progress
from recsys.errors import DataError
from recsys.fitting.contact_rows import CONTACT_SCHEMA, ContactRows, contact_rows
from recsys.metrics.reliability import brier, reliability_bins
from recsys.models.small_trees import Numbers
from recsys.offers.learned_values import ValuesConfig
from recsys.offers.offer import Offer
from recsys.offers.offers_file import read_offers
from recsys.offers.scopes import scoped
from recsys.offers.value_features import CATEGORIES
from recsys.protocols.outputs import output_file
from recsys.types import DAY_S

OURS = "propensity"
BINS = 5
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]

ContactsOption = Annotated[
    Path,
    typer.Option(
        "--contacts",
        help="Parquet or CSV, a row for each contact: customer_id, offer_id, time, and "
        "redeemed_time, empty where nothing was redeemed. Times in UTC.",
    ),
]
OffersOption = Annotated[Path, typer.Option("--offers", help="The offers, as for serving (TOML).")]
CutOption = Annotated[
    datetime,
    typer.Option(
        "--cut",
        formats=FORMATS,
        help="Learned from offers that had ended by then, judged on contacts from then on. UTC.",
    ),
]
WindowOption = Annotated[
    float,
    typer.Option("--window-days", help="After which an offer without an end counts as ended."),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write all figures here.",
    ),
]


def propensity_command(
    *,
    data: DataOption,
    contacts: ContactsOption,
    offers: OffersOption,
    cut: CutOption,
    window_days: WindowOption = 28.0,
    seed: SeedOption = 0,
    json: JsonOption = None,
) -> None:
    """Judge forecasts of who redeems on later offers, against recency and frequency.

    Trees are fitted on contacts whose offers had ended before the cut, with what was known before
    each contact, and judged on contacts after it whose offers ended within the data. Intervals
    draw customers with all their contacts. This is who redeems, not who buys because of it: for
    that see recsys evaluation uplift.

    \b
    recsys evaluation propensity --data var/data --contacts contacts.parquet \\
        --offers offers.toml --cut 2026-03-01
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    console = Console()
    dataset = Dataset.open(data)
    known = {offer.offer_id: offer for offer in read_offers(offers).offers}
    with bars(console) as progress:
        rows = _rows(contacts, known, dataset, progress)
    train, test = _sides(rows, known, dataset, cut.replace(tzinfo=UTC), window_days)
    if not (train.redeemed.any() and 0 < test.redeemed.sum() < len(test)):
        message = (
            f"{contacts}: {int(train.redeemed.sum()):,} of {len(train):,} contacts before the cut "
            f"were redeemed and {int(test.redeemed.sum()):,} of {len(test):,} after it: nothing "
            "to learn from, or nothing to judge by"
        )
        raise DataError(message, file=str(contacts))
    forecast = (
        ValuesConfig()
        .propensity.fit(train.features, train.redeemed, kind="probability", categories=CATEGORIES)
        .means(test.features)
    )
    found = stand(
        {OURS: forecast, **baselines(test.features)},
        test.redeemed,
        test.contacts["customer_id"].to_numpy(),
        seed=seed,
    )
    calibration = _calibration(forecast, test, train)
    _print(console, found, calibration, train, test)
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        text = dumps(_document(found, calibration, train, test), indent=2)
        json.write_text(f"{text}\n", encoding="utf-8")


def _rows(
    file: Path, offers: dict[str, Offer], dataset: Dataset, progress: Progress
) -> ContactRows:
    with naming(file):
        csv = file.suffix in (".csv", ".txt")
        table = (
            pl.read_csv(file, try_parse_dates=True) if csv else pl.read_parquet(file, glob=False)
        )
        for name in ("customer_id", "offer_id", "time", "redeemed_time"):
            if name not in table.columns:
                message = f"{file}: there is no column {name!r}"
                raise DataError(message, file=str(file))
        seconds = [
            pl.col(name).cast(pl.Datetime("us")).dt.epoch("s")
            for name in ("time", "redeemed_time")
        ]
        contacts = table.select(
            pl.col("customer_id", "offer_id").cast(pl.String),
            *seconds,
            held_out=pl.lit(value=False),
            hold_out_share=pl.lit(0.0),
        ).select(pl.col(name).cast(kind) for name, kind in CONTACT_SCHEMA.items())
    if unknown := sorted(set(contacts["offer_id"]) - set(offers)):
        message = f"{file}: the offers lack {unknown[0]!r}"
        raise DataError(message, file=str(file))
    catalogue = Catalogue.from_frame(dataset.items)
    about = {name: scoped(offer, catalogue) for name, offer in offers.items()}
    return contact_rows(contacts, dataset.events, catalogue.items, about, progress=progress)


def _sides(
    rows: ContactRows,
    offers: dict[str, Offer],
    dataset: Dataset,
    cut: datetime,
    window_days: float,
) -> tuple[ContactRows, ContactRows]:
    """Returns the contacts before the cut and after it whose end is known in time."""
    ends = {
        name: offer.end_time.timestamp() if offer.end_time else None
        for name, offer in offers.items()
    }
    own = rows.contacts["time"] + round(window_days * DAY_S)
    named = rows.contacts["offer_id"].replace_strict(ends, return_dtype=pl.Float64)
    ended = named.fill_null(own.cast(pl.Float64))
    last = dataset.events.select(pl.col("event_time").max().dt.epoch("s")).collect().item()
    moment = cut.timestamp()
    after = (rows.contacts["time"] >= moment) & (ended <= last)
    return rows.part(ended <= moment), rows.part(after)


def _calibration(forecast: Numbers, test: ContactRows, train: ContactRows) -> dict[str, float]:
    base = 0.0 * forecast + train.redeemed.mean()
    return {
        "mean_forecast": float(forecast.mean()),
        "redeemed": float(test.redeemed.mean()),
        "calibration_error": reliability_bins(forecast, test.redeemed, BINS).error(),
        "brier": brier(forecast, test.redeemed),
        "brier_of_the_past_mean": brier(base, test.redeemed),
    }


def _print(
    console: Console,
    found: dict[str, Standing],
    calibration: dict[str, float],
    train: ContactRows,
    test: ContactRows,
) -> None:
    console.print(
        f"Learned from {len(train):,} contacts of {_offers(train)} offers, "
        f"{int(train.redeemed.sum()):,} redeemed; judged on {len(test):,} of {_offers(test)}, "
        f"{int(test.redeemed.sum()):,} redeemed.",
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("order by")
    for metric in METRICS:
        table.add_column(f"{metric}, 95 %", justify="right")
        table.add_column("our lead", justify="right")
    for name, standing in found.items():
        cells = []
        for figure, lead in zip(standing.figures, standing.leads, strict=True):
            cells += [
                _span(figure),
                "" if name == OURS else f"{lead.low:+.3f} to {lead.high:+.3f}",
            ]
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        f"Forecast {calibration['mean_forecast']:.3f} on average, redeemed "
        f"{calibration['redeemed']:.3f}; calibration error "
        f"{calibration['calibration_error']:.3f}; Brier score {calibration['brier']:.4f}, of the "
        f"past's mean {calibration['brier_of_the_past_mean']:.4f}.",
        highlight=False,
    )


def _offers(rows: ContactRows) -> int:
    return rows.contacts["offer_id"].n_unique()


def _span(found: Interval) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _document(
    found: dict[str, Standing],
    calibration: dict[str, float],
    train: ContactRows,
    test: ContactRows,
) -> dict[str, object]:
    return {
        "contacts": {"learned_from": len(train), "judged_on": len(test)},
        "offers": {"learned_from": _offers(train), "judged_on": _offers(test)},
        "figures": {
            name: {
                metric: {"figure": asdict(figure), "our_lead": asdict(lead)}
                for metric, figure, lead in zip(
                    METRICS, standing.figures, standing.leads, strict=True
                )
            }
            for name, standing in found.items()
        },
        "calibration": calibration,
    }

"""Commands that load, show and remove the offers of a running server."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from recsys.client import OfferState, RecsysClient
from recsys.data.plain_numbers import amount, json_value
from recsys.errors import (
    ConfigError,
    InvalidFilterError,
    InvalidOfferError,
    InvalidQueryError,
    RecsysError,
)
from recsys.offers.offer import Offer
from recsys.offers.offers_file import read_offers, refusal

TIMEOUT_S = 60.0

app = typer.Typer(help="Load, list, show and remove offers.", no_args_is_help=True)
Target = Annotated[str, typer.Option(help="A server with an event store, as HOST:PORT.")]


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="TOML file with a table for each offer.")],
    *,
    target: Target = "127.0.0.1:50051",
    check: Annotated[bool, typer.Option("--check", help="Only read the file.")] = False,
) -> None:
    """Create or replace the offers of a file, all of them or none.

    Offers that the file does not name stay. What was given of an offer that is replaced stays
    given. Every server offers them within a second: docs/offers.md.

    Exit status: 0 if they are loaded, 1 if the server cannot be reached or fails, 2 if the file
    says something wrong: then with file, line and reason, and nothing has changed.

    \b
    recsys serving offers load offers.toml --target localhost:50051
    """  # noqa: D301 - click looks for the character itself
    with _explained():
        text = read_offers(file)
        if check:
            typer.echo(f"{file}: {len(text.offers)} offers; eligibility is checked by the server")
            return
        with RecsysClient([target], timeout_s=TIMEOUT_S) as client:
            try:
                done = client.upsert_offers(text.offers)
            except InvalidFilterError as error:
                problem = f"{error.description} (at character {error.position})"
                raise refusal(file, text, error.field, problem) from None
            except InvalidOfferError as error:
                [first, *_] = error.violations
                raise refusal(file, text, first.field, first.description) from None
    typer.echo(f"{done.created} offers created, {done.replaced} replaced")


@app.command(name="list")
def list_offers(
    *,
    target: Target = "127.0.0.1:50051",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line instead of a table.")
    ] = False,
) -> None:
    """List the offers and what is left of each."""
    with _explained(), RecsysClient([target], timeout_s=TIMEOUT_S) as client:
        found = list(client.offers())
    if as_json:
        for each in found:
            typer.echo(json.dumps(_told(each), ensure_ascii=False))
    else:
        Console().print(_table(found))


@app.command()
def show(
    offer_id: Annotated[str, typer.Argument(help="The offer.")],
    *,
    target: Target = "127.0.0.1:50051",
) -> None:
    """Show one offer as JSON, with what is left of it."""
    with _explained(), RecsysClient([target], timeout_s=TIMEOUT_S) as client:
        found = client.offer(offer_id)
    typer.echo(json.dumps(_told(found), ensure_ascii=False, indent=2))


@app.command()
def remove(
    offer_ids: Annotated[list[str], typer.Argument(help="The offers.")],
    *,
    target: Target = "127.0.0.1:50051",
) -> None:
    """Remove offers: nobody gets them any more. Their contacts stay."""
    with _explained(), RecsysClient([target], timeout_s=TIMEOUT_S) as client:
        removed = client.remove_offers(offer_ids)
    typer.echo(f"{removed} of {len(offer_ids)} offers removed")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ConfigError, InvalidQueryError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except RecsysError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _told(state: OfferState) -> dict[str, object]:
    told: dict[str, object] = json_value(
        {
            **state.offer.model_dump(mode="json"),
            "vouchers_left": state.vouchers_left,
            "budget_left": state.budget_left,
            "contact_count": state.contact_count,
            "redemption_count": state.redemption_count,
        }
    )
    return told


def _table(found: Sequence[OfferState]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("offer", overflow="fold")
    table.add_column("what")
    table.add_column("channels")
    for name in ("contacts", "redeemed", "vouchers left", "budget left"):
        table.add_column(name, justify="right")
    for each in found:
        table.add_row(
            each.offer.offer_id,
            _what(each.offer),
            ", ".join(each.offer.channels),
            f"{each.contact_count:,}",
            f"{each.redemption_count:,}",
            "" if each.vouchers_left is None else f"{each.vouchers_left:,}",
            "" if each.budget_left is None else amount(each.budget_left),
        )
    return table


def _what(offer: Offer) -> str:
    if not offer.discount:
        return offer.kind.value
    return f"{amount(offer.discount)} {offer.kind.value}"

"""Command that forgets a customer, or proves that nothing is left of one."""

from collections.abc import Iterable
from typing import Annotated, NoReturn

import typer

from recsys.client import ErasureFindings, ErasureReceipt, RecsysClient
from recsys.errors import InvalidQueryError, RecsysError


def erase(
    *,
    customer: Annotated[str, typer.Option(help="The customer.")] = "",
    visitor: Annotated[
        str, typer.Option(help="Instead of a customer: a visitor who never logged in.")
    ] = "",
    target: Annotated[
        str, typer.Option(help="A server with the event store, as HOST:PORT.")
    ] = "127.0.0.1:50051",
    verify: Annotated[
        bool, typer.Option("--verify", help="Remove nothing; look for what is left.")
    ] = False,
) -> None:
    """Forget a customer and all visitors who turned out to be the customer; print the receipt.

    Events, archives, lists that were shown, links, consent and contacts with offers go. Every
    server ignores what its bundle still holds within a second, and no later training sees it:
    docs/privacy.md.

    Exit status: 0 if nothing is left, 1 if something is or the server cannot do it, 2 if the
    customer is not named rightly.

    \b
    recsys serving erase --customer c-1 --target localhost:50051
    recsys serving erase --customer c-1 --target localhost:50051 --verify
    """  # noqa: D301 - click looks for the character itself
    if bool(customer) == bool(visitor):
        _end("name a customer or a visitor: --customer ID or --visitor ID", 2)
    try:
        with RecsysClient([target]) as client:
            if not verify:
                _tell(_receipt(client.erase_customer(customer, visitor_id=visitor)))
            left = client.verify_erasure(customer, visitor_id=visitor)
    except InvalidQueryError as error:
        _end(str(error), 2)
    except RecsysError as error:
        _end(f"{target}: {error}", 1)
    _tell(_findings(left))
    if any(left.found.values()):
        raise typer.Exit(1)


def _receipt(receipt: ErasureReceipt) -> Iterable[str]:
    yield f"Receipt {receipt.receipt_id}"
    yield f"Erased at {receipt.erase_time:%Y-%m-%d %H:%M:%S} UTC; earlier events are refused."
    for place, count in receipt.erased.items():
        yield f"  {place:<12} {count:>9,} removed"


def _findings(left: ErasureFindings) -> Iterable[str]:
    if left.erase_time is None:
        yield "No erasure is on record."
    if left.found:
        yield "Left:"
        yield from (f"  {place:<12} {count:>9,}" for place, count in left.found.items())
    else:
        when = f" from before {left.erase_time:%Y-%m-%d %H:%M:%S} UTC" if left.erase_time else ""
        yield f"Nothing{when} is in events, archives, shown lists, links, consent and contacts."
    if left.bundles:
        ignored = ", which every server ignores" if left.erase_time else ""
        yield f"Bundles that hold what they learned from the customer{ignored}:"
    for bundle in left.bundles:
        mark = " (current)" if bundle.current else ""
        newer = bundle.newer_bundles_until_removed
        yield f"  {bundle.bundle_version}{mark}: removed after {newer} more, if five are kept"


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _end(text: str, status: int) -> NoReturn:
    typer.echo(f"error: {text}", err=True)
    raise typer.Exit(status)

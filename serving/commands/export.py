"""Command that writes the lists of many customers into files."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from recsys.config import validated
from recsys.data.bars import bars
from serving.commands.explained import explained
from serving.logs import configure_logging
from serving.settings import load_settings


def export(
    *,
    placement: Annotated[str, typer.Option(help="What the lists are for, such as for_you.")],
    out: Annotated[Path, typer.Option(help="Folder to make; it is there when it is whole.")],
    customers: Annotated[
        Path | None,
        typer.Option(help="Text file with an id a line, or CSV or Parquet with `customer_id`."),
    ] = None,
    segment: Annotated[
        str, typer.Option(help="Instead: customers with this label, such as rfm=333.")
    ] = "",
    all_customers: Annotated[
        bool, typer.Option("--all", help="Instead: all whom the bundle or the store knows.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help="One of parquet, csv, jsonl.")] = "parquet",
    limit: Annotated[int, typer.Option(help="Items for each customer, 1 to 500.")] = 10,
    fields: Annotated[
        str, typer.Option(help="Catalogue columns of each item, with commas between.")
    ] = "title,price",
    link: Annotated[
        str,
        typer.Option(help="Link template, such as 'https://shop.example/{item_id}?t={token}'."),
    ] = "",
    filter_text: Annotated[
        str, typer.Option("--filter", help="SQL expression over catalogue columns.")
    ] = "",
    filter_name: Annotated[str, typer.Option(help="A filter of the deployment file.")] = "",
    market: Annotated[str, typer.Option(help="Whose availability and prices count.")] = "",
    offers: Annotated[
        str, typer.Option(help="Channel: choose each customer's next best offer for it.")
    ] = "",
    plan: Annotated[str, typer.Option(help="Instead: join the offers of this plan.")] = "",
    held_out: Annotated[
        str,
        typer.Option(
            help="Customers held out of offers: `apart` in files of their own, or `listed`, with "
            "a list and no offer."
        ),
    ] = "apart",
    on_site: Annotated[
        bool, typer.Option("--on-site", help="For pages, not for mail: other consent counts.")
    ] = False,
    part_size: Annotated[int, typer.Option(help="Customers in one file.")] = 5_000,
    impressions: Annotated[
        bool, typer.Option(help="Whether the store is told what each customer gets.")
    ] = True,
    processes: Annotated[
        int | None, typer.Option(help="Processes at once. Default: one for each core.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, whatever was begun there.")
    ] = False,
    bundles: Annotated[Path | None, typer.Option(help="Bundle root.")] = None,
    store: Annotated[str | None, typer.Option(help="Event store, as for `run`.")] = None,
    deployment: Annotated[Path | None, typer.Option(help="Deployment file, as for `run`.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
) -> None:
    """Write lists of many customers, with titles, prices, links and tokens, for a mailing.

    The lists are those that a server of the same settings would answer with. Who refused mail and
    who was erased gets none. Stopped at any moment, the same command goes on where it was.
    Bundles, store and deployment file may stand in the environment or a file, as for `run`.

    Exit status: 0 when the export is whole, 1 if the bundle or the store cannot be used, 2 if the
    placement, a filter, the customers or a setting is wrong.

    \b
    recsys export --placement for_you --all --format csv --out mails \\
        --bundles var/demo/bundles \\
        --link 'https://shop.example/{item_id}?t={token}'
    """  # noqa: D301 - click looks for the character itself
    # Here, because the supervisor and other commands have no use for FAISS, Polars and the rest.
    from serving.export.audience import of_all, of_file, of_segment  # noqa: PLC0415
    from serving.export.job import FORMATS, Wish  # noqa: PLC0415
    from serving.export.lead import Finder  # noqa: PLC0415
    from serving.export.lead import export as run  # noqa: PLC0415
    from serving.export.links import checked_template  # noqa: PLC0415
    from serving.state.deployment_check import checked_deployment  # noqa: PLC0415

    if [customers is not None, bool(segment), all_customers].count(True) != 1:
        _end("say who gets a list: --customers FILE, --segment LABEL or --all", 2)
    if offers and plan:
        _end("--offers and --plan exclude each other", 2)
    if form not in FORMATS:
        _end(f"format: {form!r} is not one of {', '.join(FORMATS)}", 2)
    configure_logging("error")
    flags = {"bundles": bundles, "store": store, "deployment": deployment}
    with explained(), bars(Console(stderr=True)) as progress:
        settings = load_settings(flags, os.environ, config)
        if settings.deployment is not None:
            checked_deployment(settings.deployment, settings.bundles)
        told: str
        find: Finder
        if customers is not None:
            audience = of_file(customers)
            told, find = f"file {audience.digest()}", lambda *_: audience
        elif segment:
            told, find = f"segment {segment}", lambda known, _: of_segment(segment, known)
        else:
            told, find = "all", of_all
        wish = validated(
            Wish,
            {
                "placement": placement,
                "customers": told,
                "limit": limit,
                "form": form,
                "item_fields": tuple(name.strip() for name in fields.split(",") if name.strip()),
                "link": checked_template(link),
                "filter": filter_text,
                "filter_name": filter_name,
                "market": market,
                "purpose": "recommend_on_site" if on_site else "use_in_email",
                "part_size": part_size,
                "logged": impressions,
                "offers": offers,
                "plan": plan,
                "held_out": held_out,
            },
            where="export",
        )
        count = processes or len(os.sched_getaffinity(0))
        started = time.monotonic()
        made = run(wish, settings, out, find, processes=count, fresh=fresh, progress=progress)
    _tell(out, made.manifest, made.resumed, time.monotonic() - started)


def _tell(out: Path, manifest: dict[str, Any], resumed: int, seconds: float) -> None:
    told = manifest["customers"]
    count = len(manifest["files"])
    files = "1 file" if count == 1 else f"{count:,} files"
    typer.echo(f"{out}: {told['written']:,} customers in {files}")
    if told["offers"]:
        typer.echo(f"  {told['offers']:,} with an offer")
    if told["held_out"]:
        where = "apart in _held-out-*" if manifest["held_out_files"] else "listed without offers"
        typer.echo(f"  {told['held_out']:,} held out, {where}")
    left_out = {
        "refused": "refused mail",
        "erased": "were erased",
        "empty": "have an empty list",
        "repeated": "stood in the file twice",
    }
    for kind, words in left_out.items():
        if told[kind]:
            typer.echo(f"  {told[kind]:,} {words}")
    again = f", {resumed} files were there already" if resumed else ""
    typer.echo(f"  {seconds:.1f} s{again}")


def _end(text: str, status: int) -> NoReturn:
    print(f"error: {text}", file=sys.stderr)  # noqa: T201  for a person, before any log line
    raise typer.Exit(status)

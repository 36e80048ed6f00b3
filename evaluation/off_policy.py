"""The verb `off-policy`: what another policy would have earned, from a log with propensities."""

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from evaluation.options import SeedOption
from recsys.backtest.off_policy import PolicyValue, policy_value
from recsys.backtest.significance import Interval
from recsys.data.file_errors import naming
from recsys.errors import DataError
from recsys.protocols.outputs import output_file

KEYS = ("request_id", "customer_id", "position", "item_id")
"""Columns that log and policy may share, by which the policy's probability is found."""
PROBABILITY = "probability"
SUM_ERROR = 1e-6
FEW_ROWS = 100
"""Effective rows below which the estimate is not worth much."""

LogOption = Annotated[
    Path,
    typer.Option(
        "--log",
        help="Parquet or CSV, a row for each item shown: item_id, the propensity and the reward "
        "columns, and, where they are known, position, request_id and customer_id.",
    ),
]
PolicyOption = Annotated[
    Path,
    typer.Option(
        "--policy",
        help="Parquet or CSV: item_id, probability, and each of position, request_id and "
        "customer_id that it depends on. What has no row is never shown.",
    ),
]
RewardOption = Annotated[str, typer.Option("--reward", help="Column of the log.")]
PropensityOption = Annotated[str, typer.Option("--propensity", help="Column of the log.")]
ClipOption = Annotated[
    float | None, typer.Option("--clip", metavar="W", help="Cut weights at W: less luck, biased.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Column of the log whose rows are drawn together [customer_id, else request_id].",
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json", callback=output_file, dir_okay=False, writable=True, help="Write all of it here."
    ),
]


def off_policy_command(
    *,
    log: LogOption,
    policy: PolicyOption,
    reward: RewardOption = "reward",
    propensity: PropensityOption = "propensity",
    clip: ClipOption = None,
    cluster: ClusterOption = None,
    json: JsonOption = None,
    seed: SeedOption = 0,
) -> None:
    """Estimate what another policy would have earned, from logged recommendations.

    The log must come from a policy that draws what it shows and knows with which probability.
    Each row counts by how much more often the other policy would show that item there.

    \b
    recsys evaluation off-policy --log log.parquet --policy new.csv --reward click
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    shown = _read(log, ("item_id", reward, propensity))
    offered = _policy(policy)
    by = [name for name in KEYS if name in offered.columns]
    if missing := [name for name in by if name not in shown.columns]:
        message = f"{log}: the policy depends on {missing[0]!r}, which the log does not have"
        raise DataError(message, file=str(log))
    drawn = cluster or next((n for n in KEYS[1::-1] if n in shown.columns), None)
    if drawn and drawn not in shown.columns:
        message = f"{log}: there is no column {drawn!r} to draw by"
        raise DataError(message, file=str(log))
    keys = [pl.col(name).cast(pl.String) for name in by]
    shown = shown.with_columns(keys).join(offered, on=by, how="left", maintain_order="left")
    try:
        found = policy_value(
            _numbers(shown, reward, log).to_numpy(),
            _numbers(shown, propensity, log).to_numpy(),
            shown[PROBABILITY].fill_null(0.0).to_numpy(),
            clusters=shown[drawn].rank("dense").to_numpy() if drawn else None,
            clip=clip,
            seed=seed,
        )
    except ValueError as error:
        message = f"{log}: {error}"
        raise DataError(message, file=str(log)) from error
    _print(Console(), found, drawn)
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(dumps(asdict(found), indent=2) + "\n", encoding="utf-8")


def _read(file: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    with naming(file):
        csv = file.suffix in (".csv", ".txt")
        table = pl.read_csv(file) if csv else pl.read_parquet(file, glob=False)
    if missing := [name for name in needed if name not in table.columns]:
        message = f"{file}: there is no column {missing[0]!r}; it has {', '.join(table.columns)}"
        raise DataError(message, file=str(file))
    return table


def _policy(file: Path) -> pl.DataFrame:
    """Returns the policy's key columns as texts and its probabilities, checked."""
    table = _read(file, ("item_id", PROBABILITY))
    by = [name for name in KEYS if name in table.columns]
    offered = table.select(
        *(pl.col(name).cast(pl.String) for name in by),
        _numbers(table, PROBABILITY, file),
    )
    where = [name for name in by if name != "item_id"]
    sums = offered.group_by(where).agg(pl.col(PROBABILITY).sum()) if where else offered.sum()
    if offered.select(by).is_duplicated().any():
        problem = f"two rows have the same {', '.join(by)}"
    elif (offered[PROBABILITY] < 0).any():
        problem = "a probability below 0"
    elif (sums[PROBABILITY] > 1 + SUM_ERROR).any():
        problem = f"probabilities add up to more than 1 for each {', '.join(where) or 'list'}"
    else:
        return offered
    message = f"{file}: {problem}"
    raise DataError(message, file=str(file))


def _numbers(table: pl.DataFrame, column: str, file: Path) -> pl.Series:
    """Returns a column of finite numbers, float64."""
    with naming(file):
        numbers = table[column].cast(pl.Float64)
    if numbers.null_count() or not numbers.is_finite().all():
        message = f"{file}: {column}: holds values that are missing or not finite"
        raise DataError(message, file=str(file))
    return numbers


def _print(console: Console, found: PolicyValue, drawn: str | None) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("for each row shown")
    for name in ("value", "95 % bootstrap", "95 % normal"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("logged policy", f"{found.logged.value:.5f}", _span(found.logged), "")
    for name, each in (("other, IPS", found.ips), ("other, SNIPS", found.snips)):
        value = f"{each.bootstrap.value:.5f}"
        table.add_row(name, value, _span(each.bootstrap), _span(each.normal))
    table.add_row("SNIPS - logged", f"{found.lead.value:+.5f}", _span(found.lead), "")
    table.add_row("mean weight", f"{found.mean_weight.value:.3f}", _span(found.mean_weight), "")
    console.print(table)
    console.print(
        f"{found.rows:,} rows, as good as {found.effective_rows:,.0f} of the other policy itself; "
        f"largest weight {found.largest_weight:,.1f}, {found.clipped_share:.1%} clipped; drawn by "
        f"{drawn or 'row'}.",
        highlight=False,
    )
    if found.clipped_share == 0 and not found.mean_weight.low <= 1 <= found.mean_weight.high:
        console.print(
            "[yellow]The mean weight is not 1:[/] propensities or policy are wrong, or the policy "
            "shows what the log never does. Do not trust the estimate."
        )
    if found.effective_rows < FEW_ROWS:
        console.print(
            "[yellow]The log hardly overlaps with the policy:[/] intervals are too narrow."
        )


def _span(found: Interval) -> str:
    return f"{found.low:.5f} to {found.high:.5f}"

"""The verb `benchmark`: published tables, with our rows, baselines and other libraries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Shown

from evaluation.benchmark.definitions import ALL, Benchmark, load_benchmarks
from evaluation.benchmark.measure import Part, Run
from evaluation.benchmark.opening import ROOT
from evaluation.benchmark.page import body, header, missed, write_page
from evaluation.benchmark.results import merge, note_read
from recsys.backtest.rows import Row
from recsys.choice.options import BudgetOption, seconds_of
from recsys.choice.tables import choice_tables
from recsys.data.bars import bars

DOCS = ROOT / "docs"
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME...", help=f"Benchmarks, or `{ALL}`: see --list."),
]
ListOption = Annotated[bool, typer.Option("--list", help="Say what there is, and stop.")]
WithoutOption = Annotated[
    list[Part] | None,
    typer.Option("--without", help="Leave these out; may be given more than once."),
]
JsonOption = Annotated[
    Path, typer.Option("--json", dir_okay=False, help="Figures; a set's old rows are replaced.")
]
PageOption = Annotated[
    Path, typer.Option("--page", dir_okay=False, help="Tables for people, made of the figures.")
]
ReadsOption = Annotated[
    Path,
    typer.Option("--reads", dir_okay=False, help="Gets a line for each test part that is read."),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides draws and bootstrap samples.")]


def benchmark_command(
    *,
    names: NamesArgument = None,
    show: ListOption = False,
    budget: BudgetOption = None,
    without: WithoutOption = None,
    json: JsonOption = DOCS / "benchmarks.json",
    page: PageOption = DOCS / "benchmarks.md",
    reads: ReadsOption = DOCS / "test-reads.csv",
    seed: SeedOption = 0,
) -> None:
    """Make published tables again: ours, baselines, and other libraries' lists in one run.

    RECSYS_SHARED says where the evaluation data are (../shared). Other libraries are installed in
    environments of their own under var/peers when they are first needed, and run as processes;
    our evaluator judges their lists.

    \b
    recsys evaluation benchmark --list
    recsys evaluation benchmark amazonelectronics dc --budget 2m
    recsys evaluation benchmark all --without peers
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    console, benchmarks = Console(), load_benchmarks()
    if show or not names:
        table = Shown("name", "what", box=box.SIMPLE_HEAD)
        for name, benchmark in benchmarks.sets.items():
            table.add_row(name, benchmark.about)
        console.print(table)
        if not show:
            message = "name a benchmark, or `all`"
            raise typer.BadParameter(message)
        return
    for name, benchmark in benchmarks.named(names).items():
        console.rule(name, align="left")
        with bars(console) as progress:
            run = Run(
                benchmarks,
                budget_seconds=seconds_of(budget),
                without=frozenset(without or ()),
                seed=seed,
                told=lambda what, choice: console.print(f"{what}:", choice_tables(choice)),
                progress=progress,
            )
            rows = run.rows(name)
        note_read(reads, name, benchmark, rows, datetime.now(UTC))
        write_page(page, merge(json, rows, benchmarks), benchmarks)
        _print(console, benchmark, rows)
        for what, (value, bar) in missed(benchmark, rows).items():
            console.print(f"[red]short of its bar:[/] {what} {value:.4f} < {bar:.4f}")
    console.print(f"Figures: [bold]{json}[/], tables: [bold]{page}[/]")


def _print(console: Console, benchmark: Benchmark, rows: Sequence[Row]) -> None:
    for table in benchmark.tables:
        first, *others = header(table)
        shown = Shown(first, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in others:
            shown.add_column(name, justify="right")
        for cells in body(table, [row for row in rows if row.placement == table.placement]):
            # Intervals are in the files; bold is Markdown's.
            brief = [cell.partition(" [")[0] for cell in cells[1:]]
            shown.add_row(escape(cells[0].replace("*", "")), *brief)
        console.print(f"[bold]{table.placement}[/]: {table.title}")
        console.print(shown)

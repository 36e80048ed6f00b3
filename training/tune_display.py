"""What `tune` shows while it works and when it is done, and writes over its configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version

from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recsys.data.progress import Progress as Told
from recsys.data.splits import Split
from recsys.tuning.job import News, Watch
from recsys.tuning.verdict import Tuned

OPTIMISTIC = (
    "These customers chose the settings, so the gain is optimistic: measure it on later choices, "
    "with recsys evaluate --config."
)


@contextmanager
def display(console: Console, seconds: float, trials: int | None) -> Iterator[tuple[Watch, Told]]:
    """Yields who hears of settings and who hears of the work on the way.

    Every setting gets a line; on a terminal a bar below says what is done, the best figures so
    far and the time left.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        now = shown.add_task("begin", total=None, left="")
        whole = shown.add_task("settings", total=trials, left=_left(seconds))

        def watch(news: News) -> None:
            best = ", ".join(f"{name} {figure:.4f}" for name, figure in news.best.items())
            shown.console.print(
                f"{news.done:4} {escape(news.tried)} [dim](best: {best})[/]",
                highlight=False,
                soft_wrap=True,
            )
            shown.update(
                whole,
                description=f"settings; best {best}",
                completed=news.done,
                left=_left(news.seconds_left),
            )

        def progress(stage: str, done: int, total: int | None = None) -> None:
            shown.update(now, description=stage, completed=done, total=total)

        yield watch, progress


def _left(seconds: float) -> str:
    return f"{timedelta(seconds=round(seconds))} left"


def result(found: Tuned) -> Group:
    """Returns the figures before and after."""
    table = Table(title="Tuned", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("placement")
    for column in ("customers", "menu ndcg@20", "tuned", "gain [95 %]"):
        table.add_column(column, justify="right")
    for name, verdict in found.verdicts.items():
        gain = verdict.gain
        table.add_row(
            name,
            f"{verdict.customers:,}",
            f"{verdict.before:.4f}",
            f"{verdict.after:.4f}",
            f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]".replace("[", r"\["),
        )
    table.caption = (
        f"{found.done} settings tried, {found.given_up} of them given up early. {OPTIMISTIC}"
    )
    table.caption_justify = "left"
    return Group(table)


def header(command: str, found: Tuned, split: Split) -> str:
    """Returns what a configuration file says of how it was made."""
    lines = [
        f"Made by recsys {version('recsys-engine')}:",
        f"  {command}",
        f"Settings tried: {found.done}, of them given up early: {found.given_up}.",
        f"Chosen by what happened from {split.cutoff:%Y-%m-%d} on; optimistic figures on that:",
    ]
    for name, verdict in found.verdicts.items():
        gain = verdict.gain
        lines.append(
            f"  {name}: ndcg@20 {verdict.after:.4f} on {verdict.customers} customers, "
            f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] over the menu's best blend"
        )
    return "\n".join(lines)

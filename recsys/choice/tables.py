"""Shows a choice on the terminal: what was tried, what was chosen, and what each part is worth."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from recsys.choice.choose import Choice, Chosen
from recsys.choice.search import LEAST_GAIN

_SHOWN = 8
"""Alternatives of each kind: the nearest ones."""
LEGEND = (
    "lead: how far the chosen blend is ahead of the same with one part more, fewer or another, "
    f"at its best weight. A part must bring {LEAST_GAIN:.1%} of the figure: less is chance and "
    "costs time at every request, so a blend may be ahead of the chosen one by about that much."
)
DRAWN = (
    "Nobody who is known before the last weeks buys in them: judged by a fifth of each customer's "
    "items, drawn from all times."
)


def choice_tables(choice: Choice) -> Group:
    """Returns all that is worth reading of a choice, narrow enough for 80 columns."""
    return Group(*_parts(choice))


def _parts(choice: Choice) -> Iterator[RenderableType]:
    tried = ", ".join(f"{name} {took:.1f}" for name, took in choice.fit_seconds.items())
    yield f"Chosen in {choice.seconds:.0f} s on an inner split. Seconds to fit: {tried}."
    if choice.drawn:
        yield DRAWN
    if choice.left_out:
        yield f"[yellow]No time for[/] {', '.join(choice.left_out)}: give more with --budget."
    for name, why in choice.failed.items():
        yield f"[yellow]Left out[/] {name}: {escape(why)}"
    for chosen in choice.placements:
        yield _steps(choice, chosen)
        yield _alternatives(chosen)


def _steps(choice: Choice, chosen: Chosen) -> Table:
    table = _table(
        f"{chosen.placement}: chosen on {chosen.customers:,} customers", "step", "ndcg@20", "blend"
    )
    for step in chosen.steps:
        weights = sorted(step.blend.weights.items(), key=lambda pair: -pair[1])
        most = weights[0][1]
        blend = " + ".join(f"{weight / most:.2g} {name}" for name, weight in weights)
        if step.blend.boost:
            blend = f"({blend}) x {step.blend.boost[0]}^{step.blend.boost[1]:g}"
        table.add_row(step.change, f"{step.value:.4f}", blend)
    trial = choice.rankers.get(chosen.placement)
    if trial:
        gain = trial.gain
        verdict = "used" if trial.used else "not used: not surely better"
        found = f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] over the blend: {verdict}"
        table.add_row("rank with trees", f"{trial.blend + gain.value:.4f}", found)
    return table


def _alternatives(chosen: Chosen) -> Table:
    table = _table(f"{chosen.placement}: the nearest alternatives", "blend", "ndcg@20", "lead")
    best = chosen.steps[-1].value
    for fewer in (True, False):
        of_kind = [each for each in chosen.alternatives if each.fewer == fewer]
        for each in sorted(of_kind, key=lambda other: -other.value)[:_SHOWN]:
            table.add_row(each.change, f"{each.value:.4f}", f"{best - each.value:+.4f}")
    table.caption = LEGEND
    table.caption_justify = "left"
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in ("ndcg@20", "lead") else "left")
    return table

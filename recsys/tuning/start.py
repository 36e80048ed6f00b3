"""What a study begins with: everything on the menu, and the best blends of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.choice.gather import Variant, variants_of
from recsys.data.progress import Progress
from recsys.errors import ConfigError, DataError
from recsys.tuning.job import Clock, Job
from recsys.tuning.journal import Journal
from recsys.tuning.lines import Line, named
from recsys.tuning.standing import Scored, Standing, scored

FILE = "start.json"
SHARE = 0.5
"""Of the time: for what is on the menu."""


def begin(
    folder: Path,
    job: Job,
    standing: Standing,
    journal: Journal,
    lines: Sequence[Line],
    *,
    clock: Clock,
    progress: Progress,
) -> set[tuple[str, str]]:
    """Tries the menu, as far as nobody did, and makes its best blends the standing's.

    Returns:
        Families and kinds that cannot be fitted on these data or in this place.

    Raises:
        DataError: nothing on the menu finds anything right.
    """
    broken = _fit_menu(job, standing, clock=clock, progress=progress)
    file = folder / FILE
    if file.is_file():
        known = json.loads(file.read_text("utf-8"))
        standing.best = {name: scored(plain) for name, plain in known.items()}
    else:
        standing.best = _weigh_menu(standing, progress)
    # An earlier run may have had no time for all of the menu, or may have been killed here.
    for line in lines:
        _note_menu(line, standing, journal, standing.best, progress)
    if not file.is_file():
        part = file.with_suffix(".part")
        plain = {name: best.plain() for name, best in standing.best.items()}
        part.write_text(json.dumps(plain), "utf-8")
        part.replace(file)
    return broken


def _weigh_menu(standing: Standing, progress: Progress) -> dict[str, Scored]:
    """Returns the best blend of the menu's variants, by placement.

    Raises:
        DataError: none finds anything right.
    """
    names, found = list(standing.variants), {}
    for place, placement in enumerate(standing.bench.asked):
        progress("weigh the menu", place, len(standing.bench.asked))
        best = standing.searched(placement, names) if names else None
        if best is not None:
            found[placement] = best
    progress("weigh the menu", 1, 1)
    if not found:
        message = "no model on the menu finds anything right"
        raise DataError(message)
    return found


def _fit_menu(
    job: Job, standing: Standing, *, clock: Clock, progress: Progress
) -> set[tuple[str, str]]:
    """Puts the columns of the menu's variants on the shelf while there is time."""
    bench, shelf = standing.bench, standing.shelf
    wanted = variants_of(job.menu, len(job.split.items), timeless=bench.timeless)
    broken: set[tuple[str, str]] = set()
    for place, on_menu in enumerate(wanted):
        progress("try the menu", place, len(wanted))
        source = job.menu.families[on_menu.family].source(on_menu.family)
        variant = named(on_menu.family, on_menu.algorithm, source)
        if not shelf.holds(variant.name, list(bench.asked)):
            if standing.variants and bench.expected_seconds(variant) > clock.left(SHARE):
                continue
            try:
                recommender = bench.fit(variant)
            except (ConfigError, DataError):
                broken.add((variant.family, variant.algorithm.kind))
                continue
            for placement in bench.asked:
                first, *rest = bench.ask(recommender, variant.name, placement)
                shelf.put(variant.name, placement, first.joined(*rest) if rest else first)
        standing.variants[variant.name] = variant
    progress("try the menu", len(wanted), len(wanted))
    return broken


def _note_menu(
    line: Line,
    standing: Standing,
    journal: Journal,
    start: Mapping[str, Scored],
    progress: Progress,
) -> None:
    """Tells a line's study what the menu's settings are worth, so that it begins there."""
    known = {each.outcome["name"] for each in journal.tried(line.name)}
    for variant in list(standing.variants.values()):
        if (variant.family, variant.algorithm.kind) != (line.family, line.template.kind):
            continue
        drawn = line.drawn(variant.algorithm)
        if drawn is None or variant.name in known:
            continue
        progress(f"weigh {line.name}", 0, 1)
        found = {name: standing.weighed(name, variant) for name in start}
        journal.add(line.name, drawn, line.ranges, *told(standing, variant, found, start))
        progress(f"weigh {line.name}", 1, 1)


def told(
    standing: Standing,
    variant: Variant,
    found: Mapping[str, Scored],
    start: Mapping[str, Scored],
) -> tuple[float, dict[str, Any]]:
    """Returns what a study is told of a model: its figure, and what it takes to go on from it.

    The figure is the mean over placements of the blend with the model, in shares of the menu's.
    """
    figure = sum(found[name].figure / start[name].figure for name in start) / len(start)
    return figure, {
        "name": variant.name,
        "family": variant.family,
        "algorithm": variant.algorithm.model_dump(mode="json"),
        "solos": {name: standing.alone(name, variant.name) for name in start},
        "blends": {name: each.plain() for name, each in found.items()},
    }

"""From a retailer's files to a prepared data set: read, map, check, sort, report."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.dataset import (
    CUSTOMERS_FILE,
    EVENTS_FILE,
    ITEMS_FILE,
    REJECTS_FILE,
    REPORT_FILE,
    write_log_position,
)
from recsys.data.durable import replace_folder
from recsys.data.events import CUSTOMER_SCHEMA, ITEM_SCHEMA
from recsys.data.progress import Progress, silent
from recsys.data.reading.clock import Clock
from recsys.data.reading.columns import Announce, unannounced
from recsys.data.reading.counts import TableCounts
from recsys.data.reading.feed import Feed
from recsys.data.reading.load_entities import Entities, load_customers, load_items
from recsys.data.reading.load_events import load_events
from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.facts import gather_facts
from recsys.data.reading.looks.trainable import untrainable
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.numbers import AMBIGUOUS_NUMBER
from recsys.data.reading.problems import Problems
from recsys.data.reading.rejects import FILTERED, Rejects
from recsys.data.reading.report import DataReport, summarise, write_report
from recsys.data.reading.sources import Sources
from recsys.data.reading.value_checks import DAY_FIRST, MONTH_FIRST, TWO_WAYS_TIME
from recsys.errors import DataError


def prepare(
    sources: Sources,
    out: Path,
    mapping: Mapping,
    *,
    now: datetime,
    progress: Progress = silent,
    announce: Announce = unannounced,
    strict: bool = False,
) -> DataReport:
    """Writes a prepared data set to `out`, whole or not at all, and reports on it.

    A data set that is already there is replaced. When too many rows are rejected, or nothing can
    be trained on the set, `rejects.csv` and `report.json` are left in `<out>.rejected` to look at.

    Args:
        sources: the input.
        out: the folder to make.
        mapping: how the retailer's columns and values become ours.
        now: the time that "in the future" is measured from; with a zone.
        progress: hears how far the work is.
        announce: hears where the columns of each table come from.
        strict: whether a look that is a warning is an error.

    Raises:
        DataError: a file cannot be used, the share of rejected rows is over the limit, nothing can
            be trained on the set, or it is looked at strictly; one error says all of it.
    """
    log = sources.log()
    _refuse_foreign_folder(out)
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    problems = Problems(part, out)
    try:
        report = _load(
            sources,
            part,
            mapping,
            problems,
            now=now,
            progress=progress,
            announce=announce,
            strict=strict,
        )
        if log is not None:
            write_log_position(part, log)
        replace_folder(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return report


def _load(
    sources: Sources,
    part: Path,
    mapping: Mapping,
    problems: Problems,
    *,
    now: datetime,
    progress: Progress,
    announce: Announce,
    strict: bool,
) -> DataReport:
    """Writes every file of a data set into `part`.

    Raises:
        DataError: the data set cannot be used; what is wrong with all tables.
    """
    rejects, watch = Rejects(part / REJECTS_FILE), Watch()
    clock = Clock(mapping.events.zone, now)
    events_file = part / EVENTS_FILE
    tables: dict[str, TableCounts] = {}
    entities: dict[str, Entities] = {}
    if sources.items is not None:
        with problems.collected():
            entities["items"] = load_items(
                sources.items, mapping.items, rejects, progress, announce, now=now, watch=watch
            )
    if sources.customers is not None:
        with problems.collected():
            entities["customers"] = load_customers(
                sources.customers, mapping.customers, rejects, progress, announce, watch=watch
            )
    with problems.collected():
        tables["events"] = load_events(
            sources.events,
            events_file,
            mapping.events,
            rejects,
            clock,
            now=now,
            progress=progress,
            announce=announce,
            watch=watch,
            feeds=sources.feeds,
        )
    if problems:
        read = {name: loaded.counts for name, loaded in entities.items()} | tables
        _refuse_rejects(problems, read, rejects, mapping.max_reject_rate)
        problems.fail()
    items = _items(entities.get("items"), sources.feeds)
    tables["items"] = _write_items(items, events_file, part / ITEMS_FILE)
    customers = _customers(entities.get("customers"), sources.feeds)
    if customers is not None:
        customers.frame.write_parquet(part / CUSTOMERS_FILE)
        tables["customers"] = customers.counts
    catalogue = None if items.frame.is_empty() else items.frame
    people = None if customers is None else customers.frame
    facts = gather_facts(events_file, catalogue, people)
    evidence = Evidence(
        events_file, facts, tables, mapping, rejects, clock, watch, catalogue, people
    )
    report = replace(
        summarise(evidence),
        left_out=_left_out(sources.feeds),
        log=log._asdict() if (log := sources.log()) else None,
    )
    write_report(report, part / REPORT_FILE)
    _refuse_rejects(problems, tables, rejects, mapping.max_reject_rate)
    if not problems:
        _refuse_useless(problems, report, untrainable(facts, events_file), strict=strict)
    problems.fail()
    return report


def _customers(loaded: Entities | None, feeds: Sequence[Feed]) -> Entities | None:
    """Returns the customers of files and feeds; None where there are none."""
    frame = pl.DataFrame(schema=CUSTOMER_SCHEMA) if loaded is None else loaded.frame
    for feed in feeds:
        frame = feed.customers(frame)
    if loaded is None and frame.is_empty():
        return None
    return _fed(frame, TableCounts() if loaded is None else loaded.counts)


def _items(loaded: Entities | None, feeds: Sequence[Feed]) -> Entities:
    frame = pl.DataFrame(schema=ITEM_SCHEMA) if loaded is None else loaded.frame
    for feed in feeds:
        frame = feed.items(frame)
    return _fed(frame, TableCounts() if loaded is None else loaded.counts)


def _fed(frame: pl.DataFrame, counts: TableCounts) -> Entities:
    """Returns rows of files and feeds with counts that add up."""
    fed = max(0, len(frame) - counts.kept)
    left_out = max(0, counts.kept - len(frame))
    whole = replace(counts, rows=counts.rows + fed, kept=len(frame), fed=fed, left_out=left_out)
    return Entities(frame.sort(frame.columns[0]), whole)


def _left_out(feeds: Sequence[Feed]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for feed in feeds:
        total.update(feed.left_out)
    return dict(total)


def _write_items(items: Entities, events_file: Path, target: Path) -> TableCounts:
    """Writes the items given, and a bare row for each one that only events name."""
    catalogue = items.frame
    seen = (
        pl.scan_parquet(events_file, glob=False)
        .select(pl.col("item_id").drop_nulls().unique())
        .collect(engine="streaming")
    )
    bare = seen.join(catalogue, on="item_id", how="anti").with_columns(available=True)
    whole = pl.concat([catalogue, bare], how="diagonal").sort("item_id")
    whole.write_parquet(target)
    return items.counts.with_bare(len(bare))


def _refuse_foreign_folder(out: Path) -> None:
    """Protects what is not ours: only a data set may be replaced."""
    foreign = out.is_file() or (
        out.is_dir() and any(out.iterdir()) and not (out / EVENTS_FILE).is_file()
    )
    if foreign:
        message = f"{out}: is there already and is not a prepared data set: choose another folder"
        raise DataError(message, file=str(out))


def _refuse_rejects(
    problems: Problems, tables: dict[str, TableCounts], rejects: Rejects, limit: float
) -> None:
    """Adds a problem for every table with too many rejects."""
    for name, table in tables.items():
        if table.reject_rate > limit:
            reasons = dict(rejects.by_reason[name].most_common())
            kept = problems.kept / REJECTS_FILE
            examples = rejects.examples[name]
            problems.add(_too_many_rejects(name, table, reasons, examples, limit=limit, kept=kept))


def _refuse_useless(
    problems: Problems, report: DataReport, untrainable: str | None, *, strict: bool
) -> None:
    """Adds a problem if nothing can be trained on the set, or if a strict person would object."""
    events = report.tables["events"]
    if events.kept == 0:
        message = "no event is left: every row was left out, or the files have only headers"
        if report.rejects.get("events"):
            most = list(report.rejects["events"].items())[:3]
            shown = "; ".join(f"{count:,} x {reason}" for reason, count in most)
            message = (
                f"no event is left: all {events.rows:,} rows were rejected or left out. Most "
                f"often: {shown}. Every one is in {problems.kept / REJECTS_FILE}"
            )
        if events.files == 0:
            message = (
                "the sources hold no event to train on: a store gets its events from a running "
                "server (docs/serving.md); files are read beside it with --events"
            )
        problems.add(DataError(message), keep=events.rows > 0)
    elif untrainable is not None:
        message = f"{untrainable}. The report is in {problems.kept / REPORT_FILE}"
        problems.add(DataError(message, file=str(problems.kept)))
    elif strict and report.warnings:
        lines = "".join(f"\n- {look.table}: {look.text} ({look.code})" for look in report.warnings)
        message = (
            f"{len(report.warnings)} warning(s), which --strict takes for errors:{lines}\n"
            f"What to do about each is in {problems.kept / REPORT_FILE}"
        )
        problems.add(DataError(message, file=str(problems.kept)))


ADVICE = {
    "item_id: missing id": (
        "If another column names the product where this one is empty, name both, or leave such "
        'rows out: in the mapping, [events.columns] item_id = ["...", "..."] or [events.require] '
        "item_id = { present = true }. "
    ),
    "customer_id: missing id": (
        "If another column says who it is where this one is empty, name both, or leave such rows "
        'out: in the mapping, [events.columns] customer_id = ["...", "..."] or [events.require] '
        "customer_id = { present = true }. "
    ),
    "quantity: negative quantity": (
        "If a negative quantity means that goods came back, say so in the mapping: "
        "[events.returns] negative_quantity = true. "
    ),
    "event_time: bad time": (
        "If times have a form of their own, name it in the mapping: "
        '[events] time_format = "%d.%m.%Y %H:%M". '
    ),
    f"event_time: {TWO_WAYS_TIME}": (
        "Say whether the day or the month comes first: in the mapping, "
        '[events] time_format = "%d/%m/%Y" or "%m/%d/%Y". '
    ),
    f"sale_period: {TWO_WAYS_TIME}": (
        "Say whether the day or the month comes first: in the mapping, [items] "
        'more_time_formats = ["%m/%d/%y", "%m/%d/%y, %I:%M %p"] or the like, with all forms of '
        "the file. "
    ),
    f"event_time: {DAY_FIRST}": (
        "If it does, say so in the mapping, with the separators and the time of day of the file: "
        '[events] time_format = "%d/%m/%Y". '
    ),
    f"event_time: {MONTH_FIRST}": (
        "If it does, say so in the mapping, with the separators and the time of day of the file: "
        '[events] time_format = "%m/%d/%Y". '
    ),
    **{
        f"{ours}: {AMBIGUOUS_NUMBER}": (
            "Say what the comma in numbers such as 1,299 is, in the mapping: "
            "decimal_comma = true (1.299 is 1299, 1,5 is one and a half) or "
            "decimal_comma = false (1,299 is 1299). "
        )
        for ours in ("quantity", "unit_price", "value", "price", "list_price", "cost")
    },
}
"""What a person can do about a reason that often comes from a missing line in the mapping."""

_LONGEST_EXAMPLE = 40


def _such_as(example: str | None) -> str:
    """Returns a rejected value as part of a sentence; nothing of a long one, such as a line."""
    return f" ({example!r})" if example and len(example) <= _LONGEST_EXAMPLE else ""


def _too_many_rejects(
    name: str,
    table: TableCounts,
    reasons: dict[str, int],
    examples: dict[str, str],
    *,
    limit: float,
    kept: Path,
) -> DataError:
    # What was left out on purpose is no reason to stop.
    reasons = {reason: count for reason, count in reasons.items() if FILTERED not in reason}
    most = list(reasons.items())[:3]
    fitting = (text for reason, text in ADVICE.items() if reason in reasons)
    advice = "".join(dict.fromkeys(fitting)).replace("[events", f"[{name}")
    shown = "; ".join(
        f"{count:,} x {reason}" + _such_as(examples.get(reason)) for reason, count in most
    )
    rejected = table.rejected - table.filtered
    message = (
        f"{name}: {rejected:,} of {table.rows:,} rows were rejected, more than "
        f"{limit:.1%}. Most often: {shown}. Every one is in {kept}. {advice}Correct the file or "
        "the mapping, or allow more with --max-reject-rate"
    )
    return DataError(message, file=str(kept))

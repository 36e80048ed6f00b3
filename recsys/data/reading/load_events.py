"""Reads the events of a load: file by file, batch by batch, into one sorted file."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.progress import Progress
from recsys.data.reading.clock import Clock
from recsys.data.reading.columns import Announce, refuse_repeated
from recsys.data.reading.counts import TableCounts
from recsys.data.reading.event_columns import match_event_columns, named_by
from recsys.data.reading.event_rows import ID_COLUMNS, convert_events
from recsys.data.reading.event_sorter import EventSorter, Settle
from recsys.data.reading.feed import Feed
from recsys.data.reading.looks.watch import Watch
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.rejects import Rejects, count_filtered
from recsys.data.reading.shape.joins import load_joins
from recsys.data.reading.shape.shaper import shaped
from recsys.data.reading.time_columns import find_time_parts
from recsys.data.reading.visitor_links import VisitorLinks
from recsys.data.reading.whole_ids import WholeIds


def load_events(
    source: str | None,
    target: Path,
    mapping: EventMapping,
    rejects: Rejects,
    clock: Clock,
    *,
    now: datetime,
    progress: Progress,
    announce: Announce,
    watch: Watch,
    feeds: Sequence[Feed] = (),
) -> TableCounts:
    """Writes the canonical events to `target`, sorted by time and id; returns the counts.

    Args:
        source: a file, a folder or a pattern; None: only `feeds` have events.
        target: the Parquet file to write; a folder beside it is used and removed.
        mapping: how events are read.
        rejects: takes the rows that cannot be used.
        clock: watches the times.
        now: events that are later are rejected.
        progress: hears about rows read and sorted.
        announce: hears where the columns come from.
        watch: hears of columns and raw rows, for the looks at the end.
        feeds: sources of canonical events; an event that the files or an earlier feed have too is
            a duplicate.

    Raises:
        DataError: a file cannot be read or lacks a needed column.
    """
    chunks = target.with_suffix(".chunks")
    chunks.mkdir()
    visitors = VisitorLinks()
    sorter = EventSorter(chunks, settled=_settled_by(feeds, visitors))
    mentions = [0] * len(mapping.mentions)
    records = read = rejected = filtered = 0
    files = () if source is None else find_files(source, mapping.files)
    joins = load_joins(files, mapping)
    for file in files:
        table = shaped(open_table(file, mapping.form), mapping, joins, named_by(mapping))
        watch.say("events", (f"{file.name}: {note}" for note in table.notes))
        table, parts = find_time_parts(table, mapping)
        read_as = mapping.model_copy(update={"time_parts": parts}) if parts else mapping
        columns = match_event_columns(file, table.columns, read_as, guessed=parts)
        refuse_repeated(file, table.repeated, columns.notes)
        if file == files[0]:
            announce("events", columns.notes)
        watch.columns("events", table.columns, columns.notes, read_as)
        clock.start_file()
        ids = WholeIds((name for o in ID_COLUMNS for name in columns.sources.get(o, ())), mapping)
        for batch in table.batches:
            watch.rows("events", batch.rows)
            done = convert_events(ids.read_batch(batch), columns, read_as, now=now)
            rejects.add("events", file, done.rejects)
            clock.look(done.events)
            sorter.add(done.events)
            visitors.add(done.links)
            for setting, count in done.effects.items():
                watch.effects.add("events", setting, count)
            mentions = [sum(pair) for pair in zip(mentions, done.mentions, strict=True)]
            read += len(batch)
            records += len(batch) if batch.records is None else batch.records
            rejected += len(done.rejects)
            filtered += count_filtered(done.rejects)
            progress(f"reading {file.name}", read)
        watch.say("events", (f"{file.name}: {note}" for note in ids.notes))
    fed = sum(_add(feed, sorter, progress) for feed in feeds)
    duplicates = sorter.write(target, progress)
    left_out = sum(sum(feed.left_out.values()) for feed in feeds)
    shutil.rmtree(chunks)
    watch.say("events", (note for join in joins for note in join.notes()))
    for join in joins:
        watch.effects.add("events", f"joins.{join.name}", join.looked_up - join.unmatched)
    watch.say("events", visitors.notes())
    watch.say(
        "events",
        (
            f"{count:,} events: {mention.text}"
            for count, mention in zip(mentions, mapping.mentions, strict=True)
            if count
        ),
    )
    return TableCounts(
        files=len(files),
        records=records,
        rows=read + fed,
        kept=sorter.rows - duplicates - left_out,
        rejected=rejected,
        duplicates=duplicates,
        repeats=sorter.repeats,
        filtered=filtered,
        fed=fed,
        left_out=left_out,
    )


def _add(feed: Feed, sorter: EventSorter, progress: Progress) -> int:
    read = 0
    for events in feed.events():
        sorter.add(events)
        read += len(events)
        progress(f"reading {feed.name}", read)
    return read


def _settled_by(feeds: Sequence[Feed], visitors: VisitorLinks) -> Settle:
    def settled(events: pl.DataFrame) -> pl.DataFrame:
        events = visitors.linked(events)
        for feed in feeds:
            events = feed.settled(events)
        return events

    return settled

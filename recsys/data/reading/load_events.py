"""Reads the events of a load: file by file, batch by batch, into one sorted file."""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from recsys.data.progress import Progress
from recsys.data.reading.clock import Clock
from recsys.data.reading.columns import Announce, match_event_columns
from recsys.data.reading.event_rows import ID_COLUMNS, convert_events
from recsys.data.reading.event_sorter import EventSorter, Settle
from recsys.data.reading.feed import Feed
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.readers import find_files, open_table
from recsys.data.reading.rejects import Rejects, count_filtered
from recsys.data.reading.report import TableCounts
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
        feeds: sources of canonical events; an event that the files or an earlier feed have too is
            a duplicate.

    Raises:
        DataError: a file cannot be read or lacks a needed column.
    """
    chunks = target.with_suffix(".chunks")
    chunks.mkdir()
    sorter = EventSorter(chunks, settled=_settled_by(feeds))
    read = rejected = filtered = 0
    files = () if source is None else find_files(source)
    for file in files:
        table = open_table(file, mapping.form)
        columns = match_event_columns(file, table.columns, mapping)
        if file == files[0]:
            announce("events", columns.notes)
        clock.start_file()
        ids = WholeIds((columns.found[o] for o in ID_COLUMNS if o in columns.found), mapping)
        for batch in table.batches:
            done = convert_events(ids.read_batch(batch), columns, mapping, now=now)
            rejects.add("events", file, done.rejects)
            clock.look(done.events)
            sorter.add(done.events)
            read += len(batch.rows) + len(batch.broken)
            rejected += len(done.rejects)
            filtered += count_filtered(done.rejects)
            progress(f"reading {file.name}", read)
    fed = sum(_add(feed, sorter, progress) for feed in feeds)
    duplicates = sorter.write(target, progress)
    left_out = sum(sum(feed.left_out.values()) for feed in feeds)
    shutil.rmtree(chunks)
    return TableCounts(
        files=len(files),
        rows=read + fed,
        kept=sorter.rows - duplicates - left_out,
        rejected=rejected,
        duplicates=duplicates,
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


def _settled_by(feeds: Sequence[Feed]) -> Settle:
    def settled(events: pl.DataFrame) -> pl.DataFrame:
        for feed in feeds:
            events = feed.settled(events)
        return events

    return settled

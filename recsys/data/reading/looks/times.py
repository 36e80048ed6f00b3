"""Looks at the times of events."""

from collections.abc import Iterator
from datetime import timedelta

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, note, of, warning

_EARLY_SHARE = 0.01
_FUTURE_SHARE = 0.01
_MIDNIGHT_SHARE = 0.95
"""From this share of midnights on, the times are dates."""
_INSTANT_EVENTS = 20
_DAYS_EVENTS = 1_000
_FEW_DAYS = 3
_ONE_DAY_SHARE = 0.5
_MANY_DAYS = 14


def clustered(evidence: Evidence) -> Iterator[Look]:
    """Looks for times that are no times: in 1970, all alike, or on next to no day."""
    facts = evidence.facts
    first, last = facts.first_time, facts.last_time
    if first is None or last is None:
        return
    if facts.share(facts.early) >= _EARLY_SHARE:
        yield warning(
            "times-in-1970",
            "events",
            f"{of(facts.early, facts.events)} events are before 1980, the first at "
            f"{first:%Y-%m-%d %H:%M:%S}: numbers that are no Unix times were read as such",
            "days since 1970, 20240131 as a number and days of a spreadsheet are no Unix times: "
            "write them as dates (2024-01-31), or name another column",
            '[events.columns]\nevent_time = "..."',
        )
    elif last - first < timedelta(seconds=1) and facts.events >= _INSTANT_EVENTS:
        yield warning(
            "times-at-one-instant",
            "events",
            f"all {facts.events:,} events are within one second ({first:%Y-%m-%d %H:%M:%S}): the "
            "column says when the file was written, not when things happened",
            "name the column with the time of the event; without it nothing is known about what "
            "is recent, and no part can be held back to choose models by",
            '[events.columns]\nevent_time = "..."',
        )
    elif len(facts.by_day) <= _FEW_DAYS and facts.events >= _DAYS_EVENTS:
        yield warning(
            "times-on-few-days",
            "events",
            f"{facts.events:,} events lie on {len(facts.by_day)} day(s) from {first:%Y-%m-%d}: a "
            "short extract, or numbers that were read as seconds and are none",
            "check that event_time is the time of the event; models learn from weeks or months",
        )
    yield from _one_day(evidence)


def _one_day(evidence: Evidence) -> Iterator[Look]:
    facts = evidence.facts
    if len(facts.by_day) < _MANY_DAYS or facts.events < _DAYS_EVENTS:
        return
    day, count = max(facts.by_day.items(), key=lambda pair: (pair[1], pair[0]))
    if facts.share(count) >= _ONE_DAY_SHARE:
        yield warning(
            "times-on-one-day",
            "events",
            f"{of(count, facts.events)} events are on {day:%Y-%m-%d}, of {len(facts.by_day):,} "
            "days: the day of a migration, or what a system writes where it knows no time",
            "leave these rows out, or name the column with the time of the event",
        )


def clock(evidence: Evidence) -> Iterator[Look]:
    """Looks at zones, times in the future, dates, and order."""
    seen, facts = evidence.clock, evidence.facts
    total = seen.zoned + seen.naive
    zone_line = '[events]\nzone = "Europe/Berlin"'
    if seen.zoned and seen.naive:
        yield warning(
            "times-mixed-zones",
            "events",
            f"{seen.zoned:,} times name their zone and {seen.naive:,} do not: "
            f"the latter were taken as {seen.zone}",
            "set the zone that the others are in, or write all times alike",
            zone_line,
        )
    rejected = sum(
        count
        for reason, count in evidence.rejects.by_reason.get("events", {}).items()
        if reason == "event_time: time in the future"
    )
    if seen.future or rejected:
        wrong = (seen.future + rejected) / (total + rejected) >= _FUTURE_SHARE
        yield (warning if wrong else note)(
            "times-in-the-future",
            "events",
            f"{seen.future:,} events are up to a day in the future"
            + (f", and {rejected:,} rows are later and were rejected" if rejected else ""),
            f"times without a zone were taken as {seen.zone}: set the shop's zone, or correct the "
            "clock that wrote them",
            zone_line,
        )
    if total and seen.midnight >= _MIDNIGHT_SHARE * total:
        yield note(
            "times-are-dates",
            "events",
            f"{of(seen.midnight, total)} events are at midnight: the times are dates, "
            "so the order within a day is not known",
            "name a column with the time of day as well, if the files have one",
        )
    if seen.out_of_order and facts.events:
        yield note(
            "times-out-of-order",
            "events",
            f"{seen.out_of_order:,} rows are earlier than the row above them",
            "events are sorted by time anyway; check the column if the file should be in order",
        )

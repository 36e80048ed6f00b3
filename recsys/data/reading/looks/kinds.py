"""Looks at the types of events, and at what their numbers say."""

from collections.abc import Iterator

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, listed, note, of, toml_key, toml_text, warning
from recsys.types import EVENT_TYPES, EventType

LEARNT_FROM = (
    EventType.PURCHASE,
    EventType.ADD_TO_CART,
    EventType.WISHLIST,
    EventType.RATING,
    EventType.CLICK,
    EventType.VIEW,
)
"""Types that models learn from unless a configuration says otherwise."""

_USED_ELSEWHERE = (*LEARNT_FROM, EventType.RETURN)
_UNUSED_SHARE = 0.1
_FEWEST = 100
_MOST_UNITS = 0.9
_MANY_RETURNS = 0.5
_REPEATS_SHARE = 0.3
_REPEATS_WORTH_A_NOTE = 0.02
_DUPLICATES_SHARE = 0.2
_DUPLICATE_ENTITIES = 0.5
_BACK_WORTH_A_WARNING = 0.01


def kinds(evidence: Evidence) -> Iterator[Look]:
    """Looks for types that nothing learns from, and for types that are missing."""
    facts = evidence.facts
    known = {kind.value for kind in EVENT_TYPES}
    foreign = {kind: n.events for kind, n in facts.by_kind.items() if kind not in known}
    if foreign:
        count = sum(foreign.values())
        most = facts.share(count) >= _UNUSED_SHARE
        names = listed([f"{kind} ({n:,})" for kind, n in foreign.items()], 5)
        first = toml_text(next(iter(foreign)))
        yield (warning if most else note)(
            "types-of-no-model",
            "events",
            f"{of(count, facts.events)} events have types that no model uses: {names}",
            "say which of our types they are (purchase, view, ...), or leave them",
            f'[events.event_types]\n{first} = "..."',
        )
    idle = {
        kind: n.events
        for kind, n in facts.by_kind.items()
        if kind in known and kind not in {one.value for one in _USED_ELSEWHERE}
    }
    if idle:
        names = listed([f"{kind} ({n:,})" for kind, n in idle.items()])
        yield note(
            "types-not-learnt-from",
            "events",
            f"no model learns from {names}",
            "evaluation, offers and plans may use them; event_weights in a configuration makes "
            "models learn from them, too",
        )
    if facts.events and not facts.of_kind(EventType.PURCHASE).events:
        learnt = sum(facts.of_kind(kind).events for kind in LEARNT_FROM)
        yield (warning if foreign or not learnt else note)(
            "no-purchase",
            "events",
            "no event is a purchase" + ("" if learnt else ", nor of any type models learn from"),
            "if a type is a purchase, say which; else lists are learnt from what is left",
            '[events.event_types]\n"..." = "purchase"',
        )


def ratings(evidence: Evidence) -> Iterator[Look]:
    """Looks for files of ratings whose rows became purchases, for want of an event type."""
    facts, watched = evidence.facts, evidence.watch.tables.get("events")
    sold = facts.of_kind(EventType.PURCHASE)
    column = evidence.watch.source("events", "value")
    events = evidence.mapping.events
    said = "event_type" in events.constants or bool(events.type_when)
    if watched is None or column is None or not sold.events or said:
        return
    if watched.sources.get("event_type"):
        return
    yield warning(
        "ratings-as-purchases",
        "events",
        f"every row is taken as a purchase, as no column says what it is, while {column!r} is "
        "read as a rating: the worst counts as much as the best",
        "if the rows are ratings, add the lines below; if they are purchases, say so: "
        '[events.constants] event_type = "purchase"',
        f'[events.constants]\nevent_type = "rating"\n\n[events.type_when.purchase]\n'
        f"{toml_key(column)} = {{ above = 3.99 }}",
    )


def given_back(evidence: Evidence) -> Iterator[Look]:
    """Looks for rows that count as bought although a column says that they were given back."""
    found = evidence.watch.back
    if found is None:
        return
    words = ", ".join(toml_text(word) for word in found.words)
    yield (warning if found.rows >= _BACK_WORTH_A_WARNING * found.sample else note)(
        "returns-not-read",
        "events",
        f"{of(found.rows, found.sample)} of the first rows have {listed(found.words)} in "
        f"{found.column!r}, which nothing uses: they count as the others do",
        "if they were given back or cancelled, add the lines below; [events.exclude] in place of "
        "[events.returns.when] leaves them out",
        f"[events.returns.when]\n{toml_key(found.column)} = {{ any_of = [{words}] }}",
    )


def numbers(evidence: Evidence) -> Iterator[Look]:
    """Looks at quantities, returns and prices."""
    facts = evidence.facts
    for kind, counts in facts.by_kind.items():
        if counts.events >= _FEWEST and counts.most_units >= _MOST_UNITS * counts.units:
            yield warning(
                "quantity-of-one-event",
                "events",
                f"one {kind} event of {counts.events:,} has {counts.most_units:,.0f} of the "
                f"{counts.units:,.0f} units",
                "look for a code or a total in the quantity column; `exclude` leaves rows out",
            )
    sold, back = facts.of_kind(EventType.PURCHASE), facts.of_kind(EventType.RETURN)
    if back.events >= _FEWEST and back.events >= _MANY_RETURNS * sold.events:
        yield warning(
            "many-returns",
            "events",
            f"{back.events:,} returns beside {sold.events:,} purchases",
            "check what `returns` says, and whether the quantities have the right sign",
        )
    yield from _prices(evidence)


def _prices(evidence: Evidence) -> Iterator[Look]:
    facts, watched = evidence.facts, evidence.watch.tables.get("events")
    sold = facts.of_kind(EventType.PURCHASE)
    if watched is None or not watched.sources.get("unit_price") or not sold.events or sold.priced:
        return
    column = watched.sources["unit_price"][0]
    yield warning(
        "prices-all-zero",
        "events",
        f"no purchase has a price above 0: {column!r} is 0 or empty in all {sold.events:,}",
        "name the column with the price of one unit, or with the value of the line",
        '[events]\nline_value = "..."',
    )


def repeats(evidence: Evidence) -> Iterator[Look]:
    """Looks for rows that are in the files more than once."""
    counts = evidence.tables["events"]
    read = counts.rows - counts.fed
    if read and counts.repeats >= max(1, _REPEATS_WORTH_A_NOTE * read):
        many = counts.repeats >= _REPEATS_SHARE * read and read >= _FEWEST
        yield (warning if many else note)(
            "rows-repeat",
            "events",
            f"{of(counts.repeats, read)} rows say exactly what an earlier row says; all were kept",
            "check that no file was exported or given twice; with a column that names each event "
            "(event_id), of the same event one row is kept",
            '[events.columns]\nevent_id = "..."' if many else None,
        )
    if counts.fed == 0 and read >= _FEWEST and counts.duplicates >= _DUPLICATES_SHARE * read:
        column = evidence.watch.source("events", "event_id") or "event_id"
        yield warning(
            "events-share-ids",
            "events",
            f"{of(counts.duplicates, read)} rows were left out: an earlier row has their event id "
            f"({column!r})",
            "if the column numbers orders and not their lines, name the columns that are an id "
            "together",
            f'[events.columns]\nevent_id = [{toml_text(column)}, "..."]',
        )
    for name in ("items", "customers"):
        table = evidence.tables.get(name)
        if (
            table
            and table.rows >= _FEWEST
            and table.duplicates >= _DUPLICATE_ENTITIES * table.rows
        ):
            yield note(
                f"{name}-share-ids",
                name,
                f"{of(table.duplicates, table.rows)} rows have the id of an earlier row: of each "
                "id the first counts",
                "right if the file has a row for every sale; else name the column with the id",
            )

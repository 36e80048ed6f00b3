"""Looks at who and what the events name: ids that never repeat, and ids that are nobody."""

from collections.abc import Iterator

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.facts import IdFacts
from recsys.data.reading.looks.look import Look, note, of, toml_key, toml_text, warning

_ALWAYS_NEW = 0.99
_FEWEST = 100
"""Fewer events, customers or items than this say nothing about shares."""
_FEWEST_DAYS = 7
"""On fewer days than this, hardly anybody comes back anyway."""
_ONCE_SHARE = 0.9
_TOP_SHARE = 0.2
_PLACEHOLDER_SHARE = 0.02
_PLACEHOLDERS = (
    *("0", "-1", "1", "00000000-0000-0000-0000-000000000000", "guest", "unknown", "anonymous"),
    *("none", "null", "nan", "n/a", "na", "-", "test", "undefined", "default", "dummy"),
)


def always_new(evidence: Evidence) -> Iterator[Look]:
    """Looks for ids that name orders, rows or sessions in place of customers and items."""
    facts = evidence.facts
    if facts.events < _FEWEST:
        return
    with_item = sum(kind.with_item for kind in facts.by_kind.values())
    if with_item >= _FEWEST and facts.items.ids >= _ALWAYS_NEW * with_item:
        yield warning(
            "items-never-repeat",
            "events",
            f"{with_item:,} events name {facts.items.ids:,} items: hardly any comes twice, so "
            "nothing can be learnt about one",
            "name the column with the product, not with the line or the single piece",
            '[events.columns]\nitem_id = "..."',
        )
    customers = facts.customers
    if customers.ids < _FEWEST:
        return
    person = evidence.watch.person
    come_back = customers.one_moment < _ALWAYS_NEW * customers.ids
    if customers.ids >= _ALWAYS_NEW * facts.events or (
        len(facts.by_day) >= _FEWEST_DAYS and not come_back
    ):
        seen = (
            "never come twice"
            if customers.one_moment == customers.ids
            else "hardly ever come back"
        )
        text = f"the {customers.ids:,} customers of {facts.events:,} events {seen}: "
        text += "the id is new for every order or visit"
        yield warning(
            "customers-never-repeat",
            "events",
            text,
            "name the column with the person (an e-mail address will do); without it "
            "nobody has a past to learn from",
            None if person else '[events.columns]\ncustomer_id = "..."',
        )
    elif customers.single >= _ONCE_SHARE * customers.ids:
        yield note(
            "customers-with-one-event",
            "events",
            f"{of(customers.single, customers.ids)} customers and visitors have one event",
            "right for a shop where most people buy once; their lists show what is popular",
        )


def person_column(evidence: Evidence) -> Iterator[Look]:
    """Looks for a column that names people, beside a customer id that names orders."""
    person = evidence.watch.person
    if person is None:
        return
    yield warning(
        "customers-are-orders",
        "events",
        f"no customer id has two orders in the first rows ({person.customers:,} ids), while "
        f"{person.column!r} has {person.people:,} values and some of them have several",
        f"if {person.column!r} says who the customer is, add the lines below",
        f"[events.columns]\ncustomer_id = {toml_text(person.column)}",
    )


def one_id_has_most(evidence: Evidence) -> Iterator[Look]:
    """Looks for an id that stands for nobody: a till, guests, an unknown product."""
    facts = evidence.facts
    for ours, one, ids, events in (
        ("customer_id", "customer", facts.customers, facts.events),
        ("item_id", "item", facts.items, sum(kind.with_item for kind in facts.by_kind.values())),
    ):
        if ids.top is None or not _is_suspicious(ids, events):
            continue
        yield warning(
            f"{one}-has-most-events",
            "events",
            f"{of(ids.top_events, events)} events are of one {one} of {ids.ids:,}: {ids.top!r}",
            "if it stands for nobody (guests, a till, unknown customers), leave its events out",
            _without(evidence, ours, ids.top),
        )


def _without(evidence: Evidence, ours: str, value: str) -> str:
    """Returns the lines after which an id counts as none, or its rows are left out."""
    source = evidence.watch.source("events", ours)
    if ours == "customer_id" and source and evidence.watch.source("events", "visitor_id"):
        # What the visitor did is worth keeping.
        return f"[events]\nmissing_in = {{ {toml_key(source)} = [{toml_text(value)}] }}"
    return f"[events.exclude]\n{ours} = {{ any_of = [{toml_text(value)}] }}"


def _is_suspicious(ids: IdFacts, events: int) -> bool:
    if ids.ids <= _FEWEST or ids.top is None:
        return False
    share = ids.top_events / events
    return share >= _TOP_SHARE or (
        share >= _PLACEHOLDER_SHARE and ids.top.lower() in _PLACEHOLDERS
    )

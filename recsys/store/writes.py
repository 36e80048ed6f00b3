"""Every way to change the store, by name: what is written here can be sent to another process."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from recsys.store import erasure, ledger, planning
from recsys.store.catalogue import ItemColumns
from recsys.store.choosing import Candidate, Choosing
from recsys.store.consent import Consent
from recsys.store.contacts import Cap, Contact, ContactState
from recsys.store.database import Session
from recsys.store.events import LogEvent
from recsys.store.grouping import Pending
from recsys.store.impressions import DeploymentNote, ExperimentNote, Impression, Loss
from recsys.store.tables import (
    archives,
    catalogue,
    catalogue_history,
    consents,
    counters,
    events,
    impressions,
    offers,
    plans,
    tombstones,
    visitors,
)
from recsys.store.tables.archives import ArchiveFile

EVER = -1
"""A time before all others: of somebody who was never erased."""
Arguments = Mapping[str, Any]
"""Only what JSON can carry."""
Operation = Callable[[Session, int, Arguments], Any]
"""From a session in a transaction, the time (microseconds since 1970, UTC) and arguments to a
result that JSON can carry. Done twice it has the effect of once. It may raise a `StoreError`; its
changes are then undone, those of others are not."""
JointOperation = Callable[[Session, int, Sequence[Arguments]], list[Any]]
"""The same for several calls at a time, whose results it returns in their order."""


class Writer(Protocol):
    """Does named operations, each durable when it is answered."""

    def write(self, name: str, arguments: Arguments) -> Any:  # noqa: ANN401  JSON
        """Returns the operation's result once it is on disk.

        Raises:
            StoreUnavailableError: it was not, or not certainly, done; it may be sent again.
            StoreFullError: there is no room.
            StoreError: the operation itself refused.
        """
        ...

    def write_all(self, operations: Sequence[Pending]) -> None:
        """Does operations as `write` does; each knows its own outcome afterwards."""
        ...

    def close(self) -> None:
        """Lets operations in work end and gives back what the writer holds."""
        ...


def _append_events(session: Session, now: int, arguments: Arguments) -> list[int]:
    return _append_together(session, now, [arguments])[0]


def _append_together(session: Session, _: int, many: Sequence[Arguments]) -> list[list[int]]:
    # From another process they come as plain lists.
    batches = [list(map(LogEvent._make, arguments["events"])) for arguments in many]
    levels = counters.read_all(session)
    welcome: Sequence[Sequence[LogEvent]] = batches
    if levels.get(tombstones.COUNTER):
        names = {event.customer_id for batch in batches for event in batch}
        erased = tombstones.erase_times(session, names)
        welcome = [
            [event for event in batch if event.event_time > erased.get(event.customer_id, EVER)]
            for batch in batches
        ]
    stored = events.append(session, welcome, levels["position"])
    ledger.follow(session, [event for batch in welcome for event in batch])
    return [
        list(each._replace(erased=len(batch) - len(kept)))
        for each, batch, kept in zip(stored, batches, welcome, strict=True)
    ]


def _link_visitor(session: Session, now: int, arguments: Arguments) -> list[int]:
    visitor_id, customer_id = arguments["visitor_id"], arguments["customer_id"]
    linked = visitors.link(session, visitor_id, customer_id, now)
    if linked.linked_now:
        erasure.extend(session, customer_id, visitor_id)
    return list(linked)


def _log_impressions(session: Session, now: int, arguments: Arguments) -> int:
    notes = [ExperimentNote(*note) for note in arguments["experiments"]]
    impressions.note_experiments(session, notes, now)
    # A server of the version before sends none.
    texts = [DeploymentNote(*note) for note in arguments.get("deployments", ())]
    impressions.note_deployments(session, texts, now)
    impressions.add_losses(session, [Loss(*loss) for loss in arguments["losses"]])
    shown = [Impression(*row) for row in arguments["impressions"]]
    erased = tombstones.erase_times(session, {each.customer_id or "" for each in shown})
    # Answers wait a moment before they are logged: the customer may have been erased meanwhile.
    kept = [each for each in shown if each.answer_time > erased.get(each.customer_id or "", EVER)]
    return impressions.append(session, kept)


def _remove_impressions(session: Session, _: int, arguments: Arguments) -> int:
    return impressions.remove_before(session, arguments["before"], arguments["limit"])


def _trim_catalogue(session: Session, _: int, arguments: Arguments) -> int:
    return catalogue_history.remove_before(session, arguments["before"], arguments["limit"])


def _begin_archiving(session: Session, _: int, __: Arguments) -> int:
    return archives.begin(session)


def _archive_events(session: Session, _: int, arguments: Arguments) -> bool:
    file = ArchiveFile(*arguments["file"])
    return archives.move(session, arguments["turn"], file, arguments["positions"])


def _replace_archive(session: Session, _: int, arguments: Arguments) -> bool:
    told = arguments["file"]
    file = None if told is None else ArchiveFile(*told)
    return archives.replace(session, arguments["turn"], arguments["name"], file)


def _upsert_items(session: Session, now: int, arguments: Arguments) -> list[int]:
    items = [ItemColumns(*item) for item in arguments["items"]]
    bundled = set(arguments["bundled"])
    return list(
        catalogue.upsert(session, now, items, replaces=arguments["replaces"], bundled=bundled)
    )


def _remove_items(session: Session, now: int, arguments: Arguments) -> list[int]:
    bundled = set(arguments["bundled"])
    return list(catalogue.remove(session, now, arguments["item_ids"], bundled=bundled))


def _erase_customer(session: Session, now: int, arguments: Arguments) -> list[Any]:
    return list(erasure.erase(session, arguments["customer_id"], now))


def _forget_events(session: Session, _: int, arguments: Arguments) -> None:
    erasure.forget_events(session, arguments["event_ids"])


def _set_consent(session: Session, now: int, arguments: Arguments) -> None:
    consents.write(session, arguments["customer_id"], Consent(*arguments["consent"]), now)


def _upsert_offers(session: Session, _: int, arguments: Arguments) -> list[int]:
    return list(offers.upsert(session, [tuple(offer) for offer in arguments["offers"]]))


def _remove_offers(session: Session, _: int, arguments: Arguments) -> list[int]:
    return list(offers.remove(session, arguments["offer_ids"]))


def _give_offer(session: Session, _: int, arguments: Arguments) -> list[Any]:
    return list(ledger.give(session, _choosing(arguments["asked"])))


def _choosing(given: Sequence[Any]) -> Choosing:
    """Returns what was asked, from plain lists of another process."""
    asked = Choosing(*given)
    caps = [Cap(*cap) for cap in asked.caps]
    candidates = [Candidate(*candidate) for candidate in asked.candidates]
    return asked._replace(caps=caps, candidates=candidates)


def _record_contacts(session: Session, _: int, arguments: Arguments) -> list[Any]:
    updates = [
        ledger.ContactUpdate(contact_id, ContactState(state), time, cost)
        for contact_id, state, time, cost in arguments["updates"]
    ]
    return list(ledger.record(session, updates))


def _begin_plan(session: Session, _: int, arguments: Arguments) -> None:
    plans.insert(session, arguments["note"])


def _add_plan_contacts(session: Session, _: int, arguments: Arguments) -> list[str]:
    contacts = [Contact(*contact) for contact in arguments["contacts"]]
    return planning.add(session, contacts, arguments["seen"], arguments["purposes"])


def _finish_plan(session: Session, _: int, arguments: Arguments) -> None:
    plans.finish(session, **arguments)


def _cancel_plan_contacts(session: Session, _: int, arguments: Arguments) -> list[int]:
    return list(planning.cancel(session, **arguments))


def _resolve_contact(session: Session, _: int, arguments: Arguments) -> list[Any]:
    asked = _choosing(arguments["asked"])
    named = {name: arguments[name] for name in ("planned_id", "current_id", "fault")}
    return list(planning.resolve(session, **named, asked=asked))


WRITES: Mapping[str, Operation] = {
    "add_plan_contacts": _add_plan_contacts,
    "append_events": _append_events,
    "begin_plan": _begin_plan,
    "cancel_plan_contacts": _cancel_plan_contacts,
    "finish_plan": _finish_plan,
    "resolve_contact": _resolve_contact,
    "archive_events": _archive_events,
    "erase_customer": _erase_customer,
    "forget_events": _forget_events,
    "give_offer": _give_offer,
    "record_contacts": _record_contacts,
    "remove_offers": _remove_offers,
    "set_consent": _set_consent,
    "begin_archiving": _begin_archiving,
    "link_visitor": _link_visitor,
    "upsert_items": _upsert_items,
    "upsert_offers": _upsert_offers,
    "remove_impressions": _remove_impressions,
    "remove_items": _remove_items,
    "log_impressions": _log_impressions,
    "replace_archive": _replace_archive,
    "trim_catalogue": _trim_catalogue,
}
TOGETHER: Mapping[str, JointOperation] = {"append_events": _append_together}
"""Operations that often come several at a time, and then take one statement instead of many."""

"""What the store adds to a query: whatever happened since the bundle was fitted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import structlog

from recsys.pipeline.arrangement import Arrangement, Choice
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.store.consent import NO_REFUSALS, Refusals
from recsys.store.events import Asked, CustomerTail, TailEvent
from recsys.types import DAY_S, CustomerId, EventType, visitor_key
from serving.logs import LIVE_STATE_FOREIGN
from serving.state.patience import Patience

Purpose = Literal["recommend_on_site", "use_in_email"]
"""What a list is for: the field of `Consent` that decides."""
MICROSECONDS = 1_000_000
CLOCKS_DIFFER_S = DAY_S
"""Seconds that an event may be later than the query: no more is accepted of an event's clock."""

_EVENT_TYPES = {kind.value: kind for kind in EventType}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    """A query with what is known beside it."""

    asked: Query
    """As it came, of the customer whom a visitor turned out to be."""
    query: Query
    """What the recommender is to answer: with the events of the store, or without the customer
    where that must not be used."""
    choice: Choice
    """Who is to answer, and how."""
    tail: CustomerTail | None = None
    """What was read of the store; None: nothing was, or nobody in particular asks."""
    missing: bool = False
    """Whether the store could not be read."""
    consent_refused: bool = False

    @property
    def erased(self) -> bool:
        """Whether the customer was erased since the bundle was fitted, and it must not be used."""
        gone = self.query.customer_id is None and self.asked.customer_id is not None
        return gone and not self.consent_refused

    @property
    def last_link(self) -> int:
        """Number of the customer's newest link to a visitor; 0: there is none, or it is unused."""
        if self.tail is None or self.consent_refused or not self.tail.links:
            return 0
        return self.tail.links[-1].sequence

    @property
    def live_event_count(self) -> int:
        """Events that count though the bundle does not have them."""
        return len(self.query.events)

    @property
    def last_position(self) -> int:
        """In the log, of the newest event of the store that counts; 0: none does."""
        if self.tail is None or self.consent_refused or not self.tail.events:
            return 0
        return self.tail.events[-1].position


def nobody_erased(customer_id: CustomerId, position: int) -> bool:  # noqa: ARG001
    """Says that a bundle may use all it holds, as `Tombstones.hides` of no tombstones."""
    return False


class CustomerReader(Protocol):
    """The part of a store that completes queries: now, or as it was once."""

    @property
    def id(self) -> str:
        """Returns the store's own UUID."""
        ...

    def tails(self, asked: Sequence[Asked]) -> list[CustomerTail]:
        """Returns what was stored on customers after positions, in their order."""
        ...

    def counted(
        self, customer_ids: Sequence[str], items: frozenset[str], up_to: int
    ) -> list[TailEvent]:
        """Returns the events on some items up to a position, in no order."""
        ...


class LiveState:
    """Completes queries from the store; without one they stay as they are.

    Bundle and tail are added up so that each event counts once, late ones too
    (`recsys.data.merge`). A bundle of another store, or of files alone, counts nothing of this
    store's log: the whole log is then the tail, and an event that is in both counts once as far
    as the bundle's rows tell.
    """

    def __init__(self, store: CustomerReader | None, patience: Patience) -> None:
        """Takes the store and how long to wait for it."""
        self._store = store
        self._patience = patience
        self._told: set[str] = set()

    def complete(
        self,
        queries: Sequence[Query],
        arrangement: Arrangement,
        *,
        purpose: Purpose = "recommend_on_site",
        erased: Callable[[CustomerId, int], bool] = nobody_erased,
        refusals: Refusals = NO_REFUSALS,
    ) -> list[Known]:
        """Returns queries with what the store knows; all are read in one round trip.

        A second one is needed for customers with late events, returns, or a visitor who logged
        in since the bundle was fitted.

        Args:
            queries: as they came.
            arrangement: says who answers; asked for the customer whom a visitor turned out to be.
            purpose: what the lists are for.
            erased: says of a customer or visitor and the position of a bundle whether they were
                erased after it.
            refusals: hold where the store cannot be read.
        """
        named = [query for query in queries if query.customer_id is not None]
        if self._store is None or not named:
            return [Known(query, query, arrangement.choose(query)) for query in queries]
        store, bundles = self._store, _bundles(arrangement)
        found = self._patience.read(lambda: self._read(store, named, bundles))
        if found is None:
            return [
                _unread(query, arrangement, erased)
                if not refusals.refuses(query.customer_id or "", purpose)
                else _refused(_unread(query, arrangement, erased), arrangement)
                for query in queries
            ]
        positions, read = found
        known = [
            Known(query, query, arrangement.choose(query))
            if query.customer_id is None
            else _known(query, read[query.customer_id], arrangement, positions, erased)
            for query in queries
        ]
        known = self._with_counted(store, known, positions)
        return [
            one
            if one.tail is None or getattr(one.tail.consent, purpose)
            else _refused(one, arrangement)
            for one in known
        ]

    def _read(
        self, store: CustomerReader, queries: Sequence[Query], bundles: Sequence[Recommender]
    ) -> tuple[dict[str, int], dict[CustomerId, CustomerTail]]:
        """Returns how far each bundle read the log, and the tails, one of each customer.

        What is asked of a customer more than once, as the slots of a page are, sees the same.
        """
        positions = {one.bundle_version: self._position(one, store) for one in bundles}
        asked = {}
        for query in queries:
            name = CustomerId(query.customer_id or "")
            # Of whom a bundle knows nothing, all that the store has is news.
            after = (
                positions[one.bundle_version] if one.resolver.is_known(name) else 0
                for one in bundles
            )
            asked[name] = Asked(name, min(after))
        return positions, dict(zip(asked, store.tails(list(asked.values())), strict=True))

    def _with_counted(
        self, store: CustomerReader, known: list[Known], positions: Mapping[str, int]
    ) -> list[Known]:
        """Returns the same with the events that bundles count, where those must be looked at."""
        unclear = [_unclear_items(one, positions) for one in known]
        if not any(unclear):
            return known
        again = self._patience.read(
            lambda: [
                _with_earlier(one, store, items, positions) if items else one
                for one, items in zip(known, unclear, strict=True)
            ]
        )
        return known if again is None else again

    def _position(self, recommender: Recommender, store: CustomerReader) -> int:
        read = recommender.log_position
        if read is not None and read.store_id == store.id:
            return read.position
        if recommender.bundle_version not in self._told:
            self._told.add(recommender.bundle_version)
            _log.warning(LIVE_STATE_FOREIGN, bundle_version=recommender.bundle_version)
        return 0


def _bundles(arrangement: Arrangement) -> list[Recommender]:
    """Returns one recommender of each bundle that may answer."""
    return list({one.bundle_version: one for one in arrangement.recommenders}.values())


def _unread(
    query: Query, arrangement: Arrangement, erased: Callable[[CustomerId, int], bool]
) -> Known:
    """Returns a query as its bundle alone answers it: not by what it holds of the erased."""
    choice = arrangement.choose(query)
    if query.customer_id is None:
        return Known(query, query, choice)
    read = choice.recommender.log_position
    gone = erased(query.customer_id, 0 if read is None else read.position)
    nobody = replace(query, customer_id=None)
    return Known(query, nobody if gone else query, choice, missing=True)


def _known(
    query: Query,
    tail: CustomerTail,
    arrangement: Arrangement,
    positions: Mapping[str, int],
    erased: Callable[[CustomerId, int], bool],
) -> Known:
    """Returns a query as the customer's, with the events that its bundle does not count."""
    customer_id = tail.customer_id
    asked = query
    if customer_id != query.customer_id:
        asked = replace(query, customer_id=customer_id)
    choice = arrangement.choose(asked)
    position = positions[choice.recommender.bundle_version]
    is_known = choice.recommender.resolver.is_known
    visitors = [visitor_key(link.visitor_id) for link in tail.links]
    merged = [key for key in visitors if is_known(key) and not erased(key, position)]
    fresh = tail.events
    if merged or is_known(customer_id):
        fresh = tuple(event for event in fresh if event.position > position)
    gone = erased(customer_id, position)
    recent = _recent(fresh, query.query_time + CLOCKS_DIFFER_S)
    if not (recent or merged or gone):
        return Known(asked, asked, choice, tail)
    complete = replace(
        query,
        customer_id=None if gone else customer_id,
        merged_ids=() if gone else tuple(merged),
        events=(*query.events, *recent),
    )
    return Known(asked, complete, choice, tail)


def _unclear_items(known: Known, positions: Mapping[str, int]) -> frozenset[str]:
    """Returns the items whose events the bundle counts must be read again."""
    query, recommender = known.query, known.choice.recommender
    if (
        known.tail is None
        or query.customer_id is None
        or not positions[recommender.bundle_version]
    ):
        return frozenset()
    until = recommender.trained_until
    late = [
        event
        for event in query.events
        if event.event_time < until or event.event_type is EventType.RETURN
    ]
    if not late and not query.merged_ids:
        return frozenset()
    return frozenset(recommender.resolver.unclear_items(query))


def _with_earlier(
    known: Known, store: CustomerReader, items: frozenset[str], positions: Mapping[str, int]
) -> Known:
    """Returns the same with the events on some items that the bundle counts, and for whom."""
    tail, query = known.tail, known.query
    if tail is None:
        raise AssertionError("only what has a tail can be unclear")
    names = [tail.customer_id, *(visitor_key(link.visitor_id) for link in tail.links)]
    counted = store.counted(names, items, positions[known.choice.recommender.bundle_version])
    owners = {name: name if name in query.merged_ids else tail.customer_id for name in names}
    earlier = tuple(
        (owners[event.customer_id], recent)
        for event in counted
        for recent in _recent((event,), event.event_time)
    )
    return replace(known, query=replace(query, earlier=earlier))


def _refused(known: Known, arrangement: Arrangement) -> Known:
    """Returns the same, of nobody in particular: the customer refuses the purpose."""
    nobody = replace(known.query, customer_id=None, events=(), merged_ids=(), earlier=())
    # Nobody in particular is in no experiment.
    return replace(known, query=nobody, choice=arrangement.choose(nobody), consent_refused=True)


def _recent(events: Sequence[TailEvent], until: int) -> list[RecentEvent]:
    """Returns the events of types that models know, up to a time in Unix seconds."""
    latest = (until + 1) * MICROSECONDS
    return [
        RecentEvent(item_id, _EVENT_TYPES[kind], time // MICROSECONDS, quantity)
        for _, _, item_id, kind, time, quantity in events
        if kind in _EVENT_TYPES and time < latest
    ]

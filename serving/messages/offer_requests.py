"""From requests for offers to values of the library."""

import math
import re
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.errors import InvalidQueryError
from recsys.offers.offer import MAX_MONEY, to_micros
from recsys.store.contacts import ContactState
from recsys.store.ledger import ContactUpdate
from recsys.v1 import offer_service_pb2 as pb
from serving.answering.offering import MICROSECONDS, OfferQuery
from serving.messages.limits import check_count, checked_text, unix_seconds
from serving.messages.requests import query_time, reader, recent_events

MAX_OFFERS = 1_000
MAX_UPDATES = 10_000
MAX_CHANNEL_BYTES = 64
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_STATES = {
    pb.CONTACT_STATE_SENT: ContactState.SENT,
    pb.CONTACT_STATE_SHOWN: ContactState.SHOWN,
    pb.CONTACT_STATE_OPENED: ContactState.OPENED,
    pb.CONTACT_STATE_REDEEMED: ContactState.REDEEMED,
    pb.CONTACT_STATE_CANCELLED: ContactState.CANCELLED,
}


def to_offer_query(request: pb.NextBestOfferRequest, now: int) -> OfferQuery:
    """Returns what a request asks for.

    Args:
        request: as it came.
        now: Unix seconds, the query's time where the request has none.

    Raises:
        InvalidQueryError: a field is out of its documented range.
    """
    customer_id = reader(request)
    if customer_id is None:
        raise InvalidQueryError("customer_id", "must be given where there is no visitor_id")
    time = query_time(request, now)
    check_count(request.exclude_offer_ids, "exclude_offer_ids", MAX_OFFERS)
    min_value = request.min_value if request.HasField("min_value") else None
    if min_value is not None and not math.isfinite(min_value):
        raise InvalidQueryError("min_value", "must be a number")
    return OfferQuery(
        customer_id=customer_id,
        channel=checked_text(request.channel, "channel", max_bytes=MAX_CHANNEL_BYTES),
        query_time=time,
        events=recent_events(request.events, time),
        excluded=frozenset(request.exclude_offer_ids),
        min_value=min_value,
    )


def to_choose_time(request: pb.NextBestOfferRequest, now: float) -> int:
    """Returns the moment of the contact, in microseconds since 1970, UTC."""
    return (
        _microseconds(request.query_time, "query_time")
        if request.HasField("query_time")
        else int(now * MICROSECONDS)
    )


def to_request_id(text: str) -> str:
    """Returns the id of a request, empty where it has none.

    Raises:
        InvalidQueryError: it is not 32 hexadecimal digits.
    """
    if text and not _REQUEST_ID.fullmatch(text.lower()):
        raise InvalidQueryError("request_id", "must be 32 hexadecimal digits")
    return text.lower()


def to_updates(messages: Sequence[pb.ContactUpdate], now: int) -> list[ContactUpdate]:
    """Returns what became of contacts.

    Args:
        messages: as they came.
        now: microseconds since 1970, UTC, for those without a time.

    Raises:
        InvalidQueryError: there are none or too many, or a field is out of its range.
    """
    if not messages:
        raise InvalidQueryError("updates", "must not be empty")
    check_count(messages, "updates", MAX_UPDATES)
    return [_update(each, f"updates[{place}]", now) for place, each in enumerate(messages)]


def _update(message: pb.ContactUpdate, path: str, now: int) -> ContactUpdate:
    state = _STATES.get(message.state)
    if state is None:
        raise InvalidQueryError(
            f"{path}.state", "must be sent, shown, opened, redeemed or cancelled"
        )
    cost = message.cost if message.HasField("cost") else None
    if cost is not None and not 0 <= cost <= MAX_MONEY:
        raise InvalidQueryError(f"{path}.cost", f"must be 0 to {MAX_MONEY:g}")
    time = now
    if message.HasField("event_time"):
        time = _microseconds(message.event_time, f"{path}.event_time")
    contact_id = checked_text(message.contact_id, f"{path}.contact_id")
    return ContactUpdate(contact_id, state, time, None if cost is None else to_micros(cost))


def page_of(size: int, default: int, most: int) -> int:
    """Returns how many are wanted: the default for 0, at most `most`.

    Raises:
        InvalidQueryError: it is negative.
    """
    if size < 0:
        raise InvalidQueryError("page_size", f"must not be negative, is {size}")
    return min(size, most) if size else default


def _microseconds(time: Timestamp, field: str) -> int:
    return unix_seconds(time, field) * MICROSECONDS + time.nanos // 1_000

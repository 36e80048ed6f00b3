"""Offers as messages of the contract, for both ends."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pydantic import ValidationError

from recsys.client.times import to_timestamp
from recsys.errors import FieldViolation, InvalidOfferError
from recsys.offers.offer import Offer, OfferKind
from recsys.v1 import offer_service_pb2 as pb

MAX_ATTRIBUTES_BYTES = 16_384
"""As JSON text."""
_KINDS = {
    OfferKind.PERCENT: pb.OFFER_KIND_PERCENT,
    OfferKind.AMOUNT: pb.OFFER_KIND_AMOUNT,
    OfferKind.POINTS: pb.OFFER_KIND_POINTS,
    OfferKind.CONTENT: pb.OFFER_KIND_CONTENT,
}
_OPTIONAL: tuple[Literal["voucher_stock", "budget", "gain_per_redemption"], ...] = (
    "voucher_stock",
    "budget",
    "gain_per_redemption",
)
_PLAIN = ("offer_id", "title", "discount", "eligibility", "priority", "cooldown_days")


def to_message(offer: Offer) -> pb.Offer:
    """Returns an offer of the contract."""
    message = pb.Offer(
        kind=_KINDS[offer.kind],
        channels=offer.channels,
        cost=pb.OfferCost(**offer.cost.model_dump()),
        **{name: getattr(offer, name) for name in (*_PLAIN, *_OPTIONAL)},
    )
    if offer.scope.item_ids:
        message.scope.items.item_ids.extend(offer.scope.item_ids)
    elif offer.scope.category:
        message.scope.category.path.extend(offer.scope.category)
    else:
        message.scope.basket.SetInParent()
    for name in ("start_time", "end_time"):
        time = getattr(offer, name)
        if time is not None:
            getattr(message, name).CopyFrom(to_timestamp(time, name))
    ParseDict(offer.attributes, message.attributes)
    return message


def to_offers(messages: Sequence[pb.Offer], field: str) -> list[Offer]:
    """Returns the offers of messages.

    Raises:
        InvalidOfferError: fields are wrong; all of them are named, by their paths below `field`.
    """
    offers: list[Offer] = []
    wrong: list[FieldViolation] = []
    for place, message in enumerate(messages):
        path = f"{field}[{place}]"
        if message.kind not in _KINDS.values():
            wrong.append(FieldViolation(f"{path}.kind", "must be given"))
            continue
        try:
            offers.append(Offer.model_validate(_values(message)))
        except ValidationError as error:
            wrong += _violations(error, path)
        if message.attributes.ByteSize() > MAX_ATTRIBUTES_BYTES or (
            len(json.dumps(_attributes(message.attributes))) > MAX_ATTRIBUTES_BYTES
        ):
            text = f"must have at most {MAX_ATTRIBUTES_BYTES} bytes as JSON"
            wrong.append(FieldViolation(f"{path}.attributes", text))
    if wrong:
        raise InvalidOfferError(wrong)
    return offers


def _values(message: pb.Offer) -> dict[str, Any]:
    scope = message.scope
    values: dict[str, Any] = {name: getattr(message, name) for name in _PLAIN}
    values |= {name: getattr(message, name) for name in _OPTIONAL if message.HasField(name)}
    values |= {
        "kind": next(kind for kind, number in _KINDS.items() if number == message.kind),
        "channels": list(message.channels),
        "scope": {
            "item_ids": list(scope.items.item_ids),
            "category": list(scope.category.path),
        },
        "cost": {
            "per_contact": message.cost.per_contact,
            "per_redemption": message.cost.per_redemption,
        },
        "attributes": _attributes(message.attributes),
    }
    for name in ("start_time", "end_time"):
        if message.HasField(name):
            values[name] = _time(message, name)
    return values


def _time(message: pb.Offer, name: str) -> datetime | str:
    """Returns a time, or a text that no validator takes for one."""
    try:
        return getattr(message, name).ToDatetime(UTC)  # type: ignore[no-any-return]
    except (ValueError, OverflowError):
        return "not a time"


def _attributes(struct: Struct) -> Mapping[str, Any]:
    return MessageToDict(struct)


def _violations(error: ValidationError, path: str) -> list[FieldViolation]:
    """Returns what is wrong, never what was given: descriptions may go into logs."""
    found = []
    for problem in error.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in problem["loc"])
        text = str(problem["msg"]).removeprefix("Value error, ")
        # A message about several fields begins with the path of one.
        own, colon, rest = text.partition(": ")
        if colon and " " not in own:
            field, text = (f"{field}.{own}" if field else own), rest
        found.append(FieldViolation(f"{path}.{field}" if field else path, text))
    return found

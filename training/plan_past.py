"""What a plan takes from a store: offers, contacts so far, who refuses, who was erased."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError
from recsys.offers.offer import MICROS, Offer
from recsys.offers.plan_room import Past
from recsys.store.contacts import StoredOffer
from recsys.store.offers import Offers
from recsys.store.plans import Plans
from recsys.store.store import Store
from recsys.types import UNKNOWN, CustomerId


def planned_offers(
    store: Store, only: Sequence[str], channels: Sequence[str], time: int
) -> list[tuple[Offer, StoredOffer]]:
    """Returns the offers of a plan with what was taken of them, in the order of their ids.

    Args:
        store: that has them.
        only: ids; none: all that are valid at the time and go by one of the channels.
        channels: of the plan.
        time: microseconds since 1970, UTC.

    Raises:
        DataError: there is none, or one that was named may not be given.
    """
    stored = {each.offer_id: each for each in Offers(store).all()}
    if missing := [offer_id for offer_id in only if offer_id not in stored]:
        message = f"there is no offer {missing[0]!r}: recsys serving offers list"
        raise DataError(message, offer_id=missing[0])
    found = []
    for offer_id in sorted(only or stored):
        offer = Offer.model_validate_json(stored[offer_id].content)
        if offer.is_valid_at(time // MICROS) and set(offer.channels) & set(channels):
            found.append((offer, stored[offer_id]))
        elif only:
            message = f"the offer {offer_id!r} is not valid then, or goes by none of the channels"
            raise DataError(message, offer_id=offer_id)
    if not found:
        message = f"no offer is valid then for {', '.join(channels)}: nothing can be planned"
        raise DataError(message)
    return found


def past_contacts(
    plans: Plans, up_to: int, customers: Vocabulary[CustomerId], offer_ids: Sequence[str]
) -> Past:
    """Reads the ledger up to one of its numbers, as far as it is about `customers`."""
    names: dict[str, int] = {}
    offers = {offer_id: place for place, offer_id in enumerate(offer_ids)}
    parts = []
    for rows in plans.ledger(up_to):
        _, who, what, how, held, when, redeemed = zip(*rows, strict=True)
        nums = customers.numbers(pl.Series(who, dtype=pl.String))
        columns = (
            nums,
            [offers.get(each, UNKNOWN) for each in what],
            [names.setdefault(each, len(names)) for each in how],
            when,
            held,
            [UNKNOWN if each is None else each for each in redeemed],
        )
        parts.append(np.array(columns, dtype=np.int64)[:, nums >= 0])
    nothing = np.zeros((6, 0), dtype=np.int64)
    num, offer, channel, when_, held_, redeemed_ = np.concatenate([nothing, *parts], axis=1)
    return Past(
        num.astype(np.int32),
        offer.astype(np.int32),
        channel.astype(np.int32),
        when_,
        held_.astype(np.bool_),
        redeemed_,
        tuple(names),
    )

"""The lists of one page: made one after another, no product twice, all from one moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.pipeline.query import Query
from recsys.types import ItemId
from serving.answering.answers import Answer, Asking
from serving.state.live_state import Known


def answer_page(asking: Asking, queries: Sequence[Query]) -> list[Answer]:
    """Answers the slots of a page in their order.

    What a slot shows, those after it do not, in no variant. What is known of the reader is read
    once, so that all lists know the same.

    Args:
        asking: what holds for all slots.
        queries: of the slots, all of one reader.

    Raises:
        UnknownPlacementError: a slot names a placement that is not configured.
        InvalidQueryError: a field is out of range; its path begins with the slot.
        InvalidFilterError: a filter cannot be compiled; as above.
    """
    answers: list[Answer] = []
    shown: list[ItemId] = []
    for slot, known in enumerate(asking.known(queries)):
        with of_slot(slot):
            [answer] = asking.answers([_without(known, shown)])
        shown += [item.item_id for item in answer.recommendations.items]
        answers.append(answer)
    return answers


@contextmanager
def of_slot(slot: int) -> Iterator[None]:
    """Has what is wrong with a field say which slot's it is."""
    try:
        yield
    except InvalidQueryError as error:
        raise InvalidQueryError(f"slots[{slot}].{error.field}", error.description) from None
    except InvalidFilterError as error:
        field = f"slots[{slot}].{error.field}"
        raise InvalidFilterError(error.description, error.position, field=field) from None


def _without(known: Known, shown: Sequence[ItemId]) -> Known:
    """Returns the same question, for a list without the products that are shown already."""
    if not shown:
        return known
    fresh = _variants(known.choice.recommender.catalogue, shown)
    excluded = tuple(dict.fromkeys((*known.asked.exclude_item_ids, *fresh)))
    return replace(
        known,
        asked=replace(known.asked, exclude_item_ids=excluded),
        query=replace(known.query, exclude_item_ids=excluded),
    )


def _variants(catalogue: Catalogue, item_ids: Sequence[ItemId]) -> list[ItemId]:
    """Returns all items of the products that some items are of."""
    groups = catalogue.group_nums
    nums = catalogue.items.numbers(item_ids)
    shown = np.unique(groups[nums[nums >= 0]])
    return catalogue.items.ids(np.flatnonzero(np.isin(groups, shown)).astype(np.int32))

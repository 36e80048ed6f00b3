"""What an answer was made from is told in few words, and read again."""

import json

from recsys.live.deployment import Deployment
from recsys.live.deployment_note import note_of
from recsys.pipeline.catalogue_state import AS_FITTED, CatalogueState
from serving.answering.basis import MOST_WAITING, Basis, NotedBasis

NOTE = note_of(Deployment())


def basis(catalogue: CatalogueState = AS_FITTED) -> Basis:
    return Basis(NOTE, "b1", catalogue, 0, 0, 0, 0, erased=False)


def test_what_is_empty_is_not_told() -> None:
    assert basis().noted() == {"deployment": NOTE.version, "control": "b1"}


def test_it_is_read_as_it_was_told() -> None:
    told = Basis(NOTE, "b1", CatalogueState(7, ("a", "b")), 5, 4, 3, 2, erased=True)
    again = NotedBasis.of(json.loads(json.dumps({**told.noted(), "of_later": 1})))
    assert again == NotedBasis(NOTE.version, "b1", 7, ("a", "b"), 0, 5, 4, 3, 2, erased=True)


def test_of_many_waiting_items_only_the_number_is_told() -> None:
    names = tuple(f"i{number}" for number in range(MOST_WAITING + 30))
    again = NotedBasis.of(basis(CatalogueState(1, names)).noted())
    assert len(again.waiting) == MOST_WAITING
    assert again.waiting_more == 30

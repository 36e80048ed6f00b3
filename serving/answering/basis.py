"""What an answer was made from beside its query and bundle: enough to make it again."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from recsys.pipeline.catalogue_state import CatalogueState
from recsys.store.impressions import DeploymentNote
from serving.state.live_state import Known
from serving.state.snapshot import Snapshot

MOST_WAITING = 100
"""New items that a note names; of more it tells the number alone."""


class Basis(NamedTuple):
    """One answer's."""

    deployment: DeploymentNote
    control: str
    """Version of the bundle that was current."""
    catalogue: CatalogueState
    """Of the bundle that answered."""
    events: int
    """Events of the store that counted and the bundle did not have."""
    earlier: int
    """Events that the bundle has and that were read again."""
    merged: int
    """Visitors who turned out to be the customer, of whom the bundle knows."""
    last_link: int
    """Number of the customer's newest link to a visitor; 0: there was none."""
    erased: bool
    """Whether the customer had been erased since the bundle was fitted."""

    def noted(self) -> dict[str, Any]:
        """Returns it in the words of JSON, without what is empty."""
        waiting = self.catalogue.waiting
        told = {
            "deployment": self.deployment.version,
            "control": self.control,
            "catalogue": self.catalogue.number,
            "waiting": list(waiting[:MOST_WAITING]),
            "waiting_more": max(0, len(waiting) - MOST_WAITING),
            "events": self.events,
            "earlier": self.earlier,
            "merged": self.merged,
            "last_link": self.last_link,
            "erased": self.erased,
        }
        return {name: value for name, value in told.items() if value}


class NotedBasis(NamedTuple):
    """What the log says of an answer's basis."""

    deployment: str
    control: str
    catalogue: int = 0
    waiting: tuple[str, ...] = ()
    waiting_more: int = 0
    events: int = 0
    earlier: int = 0
    merged: int = 0
    last_link: int = 0
    erased: bool = False

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Returns what `Basis.noted` told; keys of later programs do not count."""
        known = {name: told[name] for name in cls._fields if name in told}
        return cls(**{**known, "waiting": tuple(known.get("waiting", ()))})


def basis_of(known: Known, snapshot: Snapshot) -> Basis:
    """Returns what an answer is made from.

    Args:
        known: the query with what was known beside it.
        snapshot: that it is answered from.
    """
    asked, query = known.asked, known.query
    return Basis(
        deployment=snapshot.deployment,
        control=snapshot.arrangement.control.bundle_version,
        catalogue=known.choice.recommender.catalogue_state,
        events=0 if known.consent_refused else len(query.events) - len(asked.events),
        earlier=len(query.earlier),
        merged=len(query.merged_ids),
        last_link=known.last_link,
        erased=known.erased,
    )

"""Answers a logged request again and holds the list against what was logged."""

from dataclasses import dataclass

from recsys.errors import RecsysError, StoreError
from recsys.pipeline.query import Recommendations
from recsys.store.impressions import Impression
from serving.answering.impression_rows import scores_of
from serving.replays.past import GoneError, Part, Past


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one request."""

    request_id: str
    gone: Part | None = None
    """What is not there any more; None: nothing."""
    problem: str = ""
    """In a sentence."""
    logged: Impression | None = None
    told: Recommendations | None = None
    """The answer of now; None where something is gone."""

    @property
    def identical(self) -> bool:
        """Whether the list is what was logged: items, sources, scores, and the draw."""
        return self.told is not None and not self.differences()

    def differences(self) -> list[str]:
        """Returns in which ways the list is another."""
        if self.told is None or self.logged is None:
            return []
        items = self.told.items
        pairs = (
            ("items", list(self.logged.item_ids), [item.item_id for item in items]),
            ("sources", list(self.logged.sources), [item.source for item in items]),
            ("scores", list(self.logged.scores), scores_of(self.told)),
            (
                "propensity",
                [self.logged.propensity] * (self.logged.propensity is not None),
                [item.propensity for item in items if item.propensity is not None],
            ),
        )
        return [
            f"{name}: {then} then, {now} now" for name, then, now in pairs if list(then) != now
        ]


def replay(past: Past, request_id: str) -> Replayed:
    """Answers a logged request again.

    Raises:
        StoreError: the store cannot be read.
    """
    logged = None
    try:
        logged = past.logged(request_id)
        told = past.moment(logged).answer()
    except GoneError as error:
        return Replayed(request_id, error.part, str(error), logged)
    except StoreError:
        raise
    except RecsysError as error:
        return Replayed(request_id, "basis", f"it cannot be answered now: {error}", logged)
    return Replayed(request_id, logged=logged, told=told)

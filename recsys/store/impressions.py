"""What was shown, as it is handed to the store: enough to make the same answer again."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Group(NamedTuple):
    """What figures are told apart by."""

    placement: str
    bundle_version: str
    experiment: str
    """Empty: none."""
    arm: str
    """Empty without an experiment."""


class Impression(NamedTuple):
    """One list that was answered, shown or not: whether it was seen the store cannot know."""

    request_id: str
    """32 hexadecimal digits."""
    answer_time: int
    """Microseconds since 1970, UTC, by the server's clock."""
    customer_id: str | None
    """A customer, or a visitor as `visitor_key(id)`; None: nobody in particular, or without
    consent."""
    placement: str
    bundle_version: str
    experiment: str
    arm: str
    experiment_version: str
    """Of the definition by which the arm was assigned; empty without an experiment."""
    item_ids: Sequence[str]
    """Best first: the first has rank 1."""
    scores: Sequence[float]
    sources: Sequence[str]
    explored_rank: int | None
    """Rank of the place that exploration filled; None: none."""
    propensity: float | None
    """With which probability it drew the item of that place."""
    query: Mapping[str, Any]
    """What was asked, apart from placement and customer; `docs/online.md` lists the keys."""

    @property
    def group(self) -> Group:
        """Returns what the impression counts for."""
        return Group(self.placement, self.bundle_version, self.experiment, self.arm)


class Loss(NamedTuple):
    """Impressions of one group that were answered and could not be stored."""

    loss_id: str
    """Any that no other loss has; the same loss sent again counts once."""
    first_time: int
    """Microseconds since 1970, UTC: of the first that was lost."""
    last_time: int
    placement: str
    bundle_version: str
    experiment: str
    arm: str
    lost: int


class ExperimentNote(NamedTuple):
    """One definition of an experiment, so that its report needs the store alone."""

    version: str
    """Differs between definitions that assign differently."""
    name: str
    arms: Mapping[str, float]
    """Weights by arm, in the order of the definition: the first arm is what others are compared
    with. Only their ratios count."""


class DeploymentNote(NamedTuple):
    """What a deployment file said, so that an answer can be made again."""

    version: str
    """Differs between contents."""
    content: str
    """JSON text of a `Deployment`, without what it leaves to the defaults."""


class Noted(NamedTuple):
    """A definition with the time when the store first heard of it."""

    version: str
    name: str
    arms: Mapping[str, float]
    note_time: int
    """Microseconds since 1970, UTC."""

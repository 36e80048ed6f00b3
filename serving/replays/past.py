"""Makes logged answers again, from the bundle, the file, the catalogue and the events of then."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from recsys.assembly import load_recommender
from recsys.errors import BundleError, ConfigError, InvalidQueryError, StoreUnavailableError
from recsys.live.deployment import Deployment
from recsys.live.deployment_note import noted_deployment
from recsys.pipeline.arrangement import Arrangement, arrange
from recsys.pipeline.asked import from_asked
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.store.earlier import EarlierStore
from recsys.store.impressions import Impression
from recsys.store.store import Store
from recsys.store.tables import tombstones
from recsys.store.tombstones import Tombstones
from recsys.types import CustomerId
from serving.answering.answers import recommended
from serving.answering.basis import NotedBasis
from serving.state.live_state import Known, LiveState
from serving.state.patience import Patience

HELD_BUNDLES, HELD_CATALOGUES = 4, 16
"""What is kept in memory between two answers."""
Part = Literal["answer", "basis", "bundle", "deployment", "catalogue", "arm", "events"]


class GoneError(Exception):
    """Something that an answer was made from is not there any more."""

    def __init__(self, part: Part, text: str) -> None:
        """Takes what is gone, and a sentence on it."""
        super().__init__(text)
        self.part = part


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Everything that one logged answer was made from."""

    logged: Impression
    basis: NotedBasis
    asked: Query
    """Of nobody in particular where the customer's consent forbade more."""
    control: Recommender
    """Of the bundle that was current, with the catalogue of then."""
    bundles: Mapping[str, Recommender]
    """By version: the current one's, and that of the experiment's arm."""
    deployment: Deployment
    state: LiveState
    """Of then, as far as it is there."""
    erased: Callable[[CustomerId, int], bool]

    def arrangement(self) -> Arrangement:
        """Returns who answered what then."""
        arrangement = arrange(self.deployment, self.control, self.bundles)
        return arrangement if self.logged.experiment else arrangement.without_experiments()

    def known(self, arrangement: Arrangement) -> Known:
        """Returns the query with what the store told of the customer then."""
        [known] = self.state.complete([self.asked], arrangement, erased=self.erased)
        if known.missing:
            raise StoreUnavailableError("the store cannot be read")
        if self.basis.erased:  # the store was not read then, and is not now
            return replace(known, query=replace(known.query, customer_id=None))
        return known

    def answer(self) -> Recommendations:
        """Makes the answer again.

        Raises:
            GoneError: the customer's events, or the arm, are not what they were.
        """
        known = self.known(self.arrangement())
        self._check(known)
        [told] = recommended([known], [self.logged.request_id])
        return told

    def _check(self, known: Known) -> None:
        basis, choice = self.basis, known.choice
        name = choice.experiment.name if choice.experiment else ""
        if (name, choice.arm) != (self.logged.experiment, self.logged.arm):
            text = f"arm {self.logged.arm!r} of {self.logged.experiment!r} cannot be chosen again"
            raise GoneError("arm", text)
        if self.logged.query.get("live_state_missing"):
            return
        counts = (
            ("events", basis.events, len(known.query.events) - len(self.asked.events)),
            ("events that the bundle counts", basis.earlier, len(known.query.earlier)),
            ("linked visitors", basis.merged, len(known.query.merged_ids)),
        )
        for what, then, now in counts:
            if then != now:
                text = f"{what} of the customer: {now} of {then} are left in the log, the others"
                raise GoneError("events", f"{text} were archived or erased")


class Past:
    """Finds what logged answers were made from. For one thread at a time."""

    def __init__(
        self,
        store: Store,
        bundles: Path,
        *,
        load: Callable[[Path], Recommender] = load_recommender,
    ) -> None:
        """Takes the store with the log, and the folder of the bundles."""
        self._store = store
        self._root = bundles
        self._load = load
        self._followers: OrderedDict[str, CatalogueFollower] = OrderedDict()
        self._laid: OrderedDict[tuple[str, int, tuple[str, ...]], Recommender] = OrderedDict()
        self._deployments: dict[str, Deployment] = {}
        self._tombstones: Tombstones | None = None

    def logged(self, request_id: str) -> Impression:
        """Returns an answer of the log.

        Raises:
            GoneError: the log does not have it.
            StoreError: the store cannot be read.
        """
        found = self._store.impression(request_id) if _is_id(request_id) else None
        if found is None:
            text = (
                "the log has no such answer: it was never written, is older than what the log "
                "keeps, or was of a customer who was erased"
            )
            raise GoneError("answer", text)
        return found

    def moment(self, logged: Impression) -> Moment:
        """Returns what an answer was made from.

        Raises:
            GoneError: a part is not there any more.
            StoreError: the store cannot be read.
        """
        told = logged.query
        if "basis" not in told:
            raise GoneError("basis", "it was logged by a program that did not note what it used")
        basis = NotedBasis.of(told["basis"])
        if basis.waiting_more:
            text = f"more new items than the log names were not laid over yet ({basis.catalogue})"
            raise GoneError("catalogue", text)
        control = self._recommender(basis.control, basis)
        bundles = {basis.control: control}  # an arm may name the current bundle, too
        other = logged.bundle_version
        if other != basis.control:
            bundles[other] = self._recommender(other, basis)
        return Moment(
            logged=logged,
            basis=basis,
            asked=_asked(logged, told),
            control=control,
            bundles=bundles,
            deployment=self._deployment(basis.deployment),
            state=self._state(told, basis),
            erased=self._erased(logged, basis),
        )

    def _state(self, told: Mapping[str, Any], basis: NotedBasis) -> LiveState:
        reader = EarlierStore(self._store, int(told.get("last_position", 0)), basis.last_link)
        unread = bool(told.get("live_state_missing"))
        return LiveState(None if unread else reader, Patience(time.monotonic))

    def _erased(self, logged: Impression, basis: NotedBasis) -> Callable[[CustomerId, int], bool]:
        if self._tombstones is None:
            with self._store.read() as session:
                laid = tombstones.newer(session, 0)
            self._tombstones = Tombstones(self._store.secret).with_newer(laid)
        hides = self._tombstones.hides

        def erased(name: CustomerId, position: int) -> bool:
            return basis.erased if name == logged.customer_id else hides(name, position)

        return erased

    def _deployment(self, version: str) -> Deployment:
        if version not in self._deployments:
            note = self._store.deployment(version)
            if note is None:
                raise GoneError("deployment", f"the store has no deployment {version}")
            try:
                self._deployments[version] = noted_deployment(note)
            except ConfigError as error:
                raise GoneError("deployment", str(error)) from error
        return self._deployments[version]

    def _recommender(self, version: str, basis: NotedBasis) -> Recommender:
        """Returns a bundle's recommender with the catalogue as it was."""
        key = (version, basis.catalogue, basis.waiting)
        if key in self._laid:
            self._laid.move_to_end(key)
            return self._laid[key]
        follower = self._follower(version)
        rows = self._store.items_at(basis.catalogue)
        if rows is None:
            text = f"the catalogue of change {basis.catalogue} is older than what the store keeps"
            raise GoneError("catalogue", text)
        then = CatalogueFollower(
            follower.bundle, likeness=follower.likeness, left_out=basis.waiting
        )
        self._laid[key] = then.settle(rows)
        follower.likeness = then.likeness
        if len(self._laid) > HELD_CATALOGUES:
            self._laid.popitem(last=False)
        return self._laid[key]

    def _follower(self, version: str) -> CatalogueFollower:
        if version not in self._followers:
            try:
                loaded = self._load(self._root / version)
            except BundleError as error:
                text = f"bundle {version} cannot be read: {error}"
                raise GoneError("bundle", text) from error
            self._followers[version] = CatalogueFollower(loaded)
            if len(self._followers) > HELD_BUNDLES:
                self._followers.popitem(last=False)
        self._followers.move_to_end(version)
        return self._followers[version]


def _asked(logged: Impression, told: Mapping[str, Any]) -> Query:
    try:
        query = from_asked(logged.placement, logged.customer_id, told)
    except InvalidQueryError as error:
        raise GoneError("basis", f"the query is of another program: {error}") from error
    # The draw and the rules come with the deployment, as they did then.
    return replace(query, exploration=None)


def _is_id(request_id: str) -> bool:
    try:
        return len(bytes.fromhex(request_id)) == 16  # noqa: PLR2004  bytes of a request id
    except ValueError:
        return False

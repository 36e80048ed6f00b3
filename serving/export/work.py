"""One part of an export: some customers' lists, made and written by one process."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from recsys.data.durable import sync
from recsys.errors import StoreUnavailableError
from recsys.pipeline.query import Query
from recsys.store.contacts import Contact
from recsys.store.open import Role, open_store
from recsys.store.store import Store
from recsys.types import CustomerId
from serving.answering.answers import Answer, Asking
from serving.answering.impression_rows import to_impression
from serving.export.forms import write_rows
from serving.export.job import Job
from serving.export.offers import Giver, giver
from serving.export.offline import LOOKUP_S, Desk, opened_desk
from serving.export.rows import rows_of, schema_of
from serving.messages.details import DetailsReader
from serving.settings import ServingSettings
from serving.state.live_state import Known

COUNTS = ("written", "offers", "held_out", "refused", "erased", "empty")
"""What can become of customers; who is held out and listed all the same is written, too."""
HELD_OUT: Mapping[str, pl.DataType] = {
    "customer_id": pl.String(),
    "assignment": pl.String(),
    "held_out_of": pl.String(),
    "channel": pl.String(),
    "contact_id": pl.String(),
}
"""Columns of those who are held out: nothing that could be sent."""
BLOCK = 250
"""Customers that are asked for together: one read of the store."""


class Told(NamedTuple):
    """What became of a part's customers, and where it lies."""

    part: int
    file: str
    """Under a name of its own: whoever leads the export puts it in its place."""
    shown: str
    """The same for what the store is to be told; empty: nothing."""
    counts: dict[str, int]
    size: int
    sha256: str
    held_out: str = ""
    """The file of those who are held out, likewise; empty: nobody is."""
    held_out_sha256: str = ""


@dataclass(slots=True)
class Worker:
    """Makes parts, one after another."""

    job: Job
    folder: Path
    desk: Desk
    clock: Callable[[], float]
    details: DetailsReader
    mark: str
    """Part of its files' names."""
    store: Store | None
    giver: Giver | None
    """Of offers; None: none are wished."""

    def trial(self) -> None:
        """Makes one list for nobody, so that what is wrong with a wish is told before any work.

        Raises:
            UnknownPlacementError: there is no such placement.
            InvalidQueryError: a field is out of range.
            InvalidFilterError: the filter cannot be compiled.
        """
        asking = self._asking()
        asking.answers(asking.known([self._query(None)]))

    def part(self, number: int, customer_ids: Sequence[str]) -> Told:
        """Writes the lists of some customers.

        Raises:
            StoreUnavailableError: who refused mail cannot be read.
            UnknownPlacementError: there is no such placement.
            InvalidQueryError: a field is out of range.
            InvalidFilterError: the filter cannot be compiled.
        """
        wish = self.job.wish
        rows: list[dict[str, Any]] = []
        apart: list[dict[str, Any]] = []
        shown: list[str] = []
        counts = dict.fromkeys(COUNTS, 0)
        for start in range(0, len(customer_ids), BLOCK):
            block = [CustomerId(each) for each in customer_ids[start : start + BLOCK]]
            told: list[Answer] = []
            for kind, answer in self._answers(block):
                counts[kind] += 1
                if answer is not None:
                    told.append(answer)
            for answer, row, held_out in self._rows(told):
                counts["held_out"] += held_out is not None
                if held_out is not None and wish.held_out == "apart":
                    counts["written"] -= 1
                    apart.append(held_out)
                else:
                    rows.append(row)
                    shown.append(_noted(answer))
        counts["offers"] = sum(row.get("offer") is not None for row in rows)
        path = self.folder / f"part-{number:05}.{self.mark}.tmp"
        catalogue = self.desk.snapshot.recommender.catalogue
        schema = schema_of(catalogue, self.job, due=self.due)
        write_rows(rows, schema, wish.form, path, places=wish.limit)
        content = path.read_bytes()
        notes = ""
        if wish.logged and shown and self.job.store_id:
            notes = f"part-{number:05}.{self.mark}.shown.tmp"
            lines = "".join(f"{line}\n" for line in shown)
            (self.folder / notes).write_text(lines, encoding="utf-8")
            sync(self.folder / notes)
        digest = hashlib.sha256(content).hexdigest()
        told_apart = self._apart(number, apart) if apart else ("", "")
        return Told(number, path.name, notes, counts, len(content), digest, *told_apart)

    def _apart(self, number: int, rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """Writes who is held out; returns the file's name and its checksum."""
        path = self.folder / f"held-out-{number:05}.{self.mark}.tmp"
        write_rows(rows, HELD_OUT, self.job.wish.form, path)
        return path.name, hashlib.sha256(path.read_bytes()).hexdigest()

    def _rows(
        self, answers: Sequence[Answer]
    ) -> Iterator[tuple[Answer, dict[str, Any], dict[str, Any] | None]]:
        """Yields answers with their rows, and `HELD_OUT` of those who are."""
        rows = rows_of(answers, self.details, self.job.wish, due=self.due)
        for answer, row in zip(answers, rows, strict=True):
            held_out = None
            if self.giver is not None:
                given = self.giver.of(CustomerId(row["customer_id"]))
                row |= {"assignment": given.assignment.value, "offer": given.columns}
                held_out = None if given.held_out is None else _held_out(row, given.held_out)
            yield answer, row, held_out

    @property
    def due(self) -> bool:
        """Says whether the placement tells when items are needed again."""
        placements = self.desk.snapshot.arrangement.control.placement_configs
        return bool(placements[self.job.wish.placement].replenishment)

    def _answers(self, customer_ids: Sequence[CustomerId]) -> Iterator[tuple[str, Answer | None]]:
        """Yields what became of each customer, with the answer of those who get one."""
        asking = self._asking()
        known = asking.known([self._query(each) for each in customer_ids])
        if any(one.missing for one in known):
            # It may have been read for the others, but who refused mail must get none.
            raise StoreUnavailableError("the store cannot be read: who wants no mail is not known")
        asked = [one for one in known if _fate(one) == "written"]
        ids = [self.job.request_id(str(one.asked.customer_id)) for one in asked]
        answers = iter(self.desk.attribution.note(asking.answers(asked, ids)))
        for one in known:
            fate = _fate(one)
            answer = next(answers) if fate == "written" else None
            if answer is not None and not answer.recommendations.items:
                fate, answer = "empty", None
            yield fate, answer

    def _asking(self) -> Asking:
        desk = self.desk
        return Asking(desk.snapshot, self.clock(), desk.state, self.job.wish.purpose)

    def _query(self, customer_id: CustomerId | None) -> Query:
        wish = self.job.wish
        return Query(
            placement=wish.placement,
            query_time=self.job.query_time,
            customer_id=customer_id,
            limit=wish.limit,
            filter=wish.filter,
            filter_name=wish.filter_name,
            market=wish.market or None,
        )


@contextmanager
def opened_worker(
    job: Job, folder: Path, settings: ServingSettings, mark: str, *, clock: Callable[[], float]
) -> Iterator[Worker]:
    """Yields somebody who makes parts, with the bundle and the store open.

    Raises:
        BundleError: the bundle is not there any more, or damaged.
        StoreError: the store cannot be read.
        InvalidQueryError: the catalogue does not have an item field.
    """
    with ExitStack() as stack:
        store = None
        if settings.store is not None:
            # Offers are taken through whoever owns the store.
            role: Role = "server" if job.wish.offers else "reader"
            store = open_store(
                settings.store, archives=settings.archives, role=role, lookup_s=LOOKUP_S
            )
            stack.callback(store.close)
        bundle = settings.bundles / job.bundle_version
        desk = stack.enter_context(opened_desk(settings, bundle, store, clock=clock))
        wish = job.wish
        catalogue = desk.snapshot.recommender.catalogue
        details = DetailsReader(catalogue, wish.item_fields, wish.market)
        offers = giver(job, desk, store, clock)
        yield Worker(job, folder, desk, clock, details, mark, store, offers)


def _fate(one: Known) -> str:
    """Says what becomes of a customer: nobody writes to those who refused or were erased."""
    if one.consent_refused:
        return "refused"
    gone = one.asked.customer_id is not None and one.query.customer_id is None
    return "erased" if gone and not one.query.events else "written"


def _held_out(row: Mapping[str, Any], contact: Contact) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "assignment": row["assignment"],
        "held_out_of": contact.offer_id,
        "channel": contact.channel,
        "contact_id": contact.contact_id,
    }


def _noted(answer: Answer) -> str:
    """Returns what the store is told of an answer, as a line of JSON."""
    deployment = answer.basis.deployment if answer.basis else None
    told = (to_impression(answer), answer.experiment, deployment)
    return json.dumps(told, ensure_ascii=False)

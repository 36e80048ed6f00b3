"""Leads an export: has parts made, puts them in their places, tells the store, and finishes."""

import hashlib
import time
import uuid
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from recsys.bundle import current
from recsys.data.progress import Progress, silent
from recsys.errors import ConfigError
from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from serving.export.audience import Audience
from serving.export.crew import Crew, Part
from serving.export.folder import Folder
from serving.export.job import LAYOUT, Job, Wish
from serving.export.offers import attributes_of
from serving.export.telling import erasures, tell_store, writable
from serving.export.work import COUNTS, opened_worker
from serving.settings import ServingSettings

STAGE = "exporting customers"

Finder = Callable[[Recommender, Store | None], Audience]
"""Says who gets a list."""


class Exported(NamedTuple):
    """What came of an export."""

    manifest: dict[str, Any]
    resumed: int
    """Parts that were there already."""


def export(
    wish: Wish,
    settings: ServingSettings,
    out: Path,
    find: Finder,
    *,
    processes: int,
    fresh: bool = False,
    clock: Callable[[], float] = time.time,
    progress: Progress = silent,
) -> Exported:
    """Writes the lists of many customers; goes on where an export like it was stopped.

    Args:
        wish: what is wanted.
        settings: the same as the servers'.
        out: the folder to make; an earlier export that is there is replaced.
        find: who gets a list; asked when an export begins.
        processes: that make parts at once.
        fresh: begin anew, whatever was begun.
        clock: returns Unix seconds; of this process alone.
        progress: hears about customers.

    Raises:
        ConfigError: what was begun there differs from what is wished, or a wish is wrong.
        DataError: something else lies at `out`.
        BundleError, StoreError: they cannot be used; call it again to go on.
        UnknownPlacementError, InvalidQueryError, InvalidFilterError: the wish is wrong.
    """
    folder = Folder(out)
    with folder.held():
        while True:
            job = _job(wish, settings, folder, find, fresh=fresh, clock=clock)
            folder.tidy()
            crew = Crew(job, folder.part, settings, processes, clock)
            with writable(settings) if wish.offers else nullcontext():
                exported = _made(crew, settings, folder, progress)
            if erasures(settings) == job.erasures:
                folder.finish(exported.manifest)
                return exported
            fresh = True  # somebody was erased who may be in what is written


def _job(
    wish: Wish,
    settings: ServingSettings,
    folder: Folder,
    find: Finder,
    *,
    fresh: bool,
    clock: Callable[[], float],
) -> Job:
    """Returns what was begun, if it is what is wished, else begins it."""
    deployment = ""
    if settings.deployment is not None:
        deployment = hashlib.sha256(settings.deployment.read_bytes()).hexdigest()
    begun = None if fresh else folder.job()
    erased = erasures(settings)
    if begun is not None and begun.erasures == erased:
        if (begun.wish, begun.deployment, begun.layout) == (wish, deployment, LAYOUT):
            if (settings.bundles / begun.bundle_version).is_dir():
                return begun
            text = f"{folder.part}: its bundle {begun.bundle_version} is gone"
            raise ConfigError(f"{text}: --fresh begins anew")
        text = f"{folder.part}: holds an export of other settings, customers, rules or program"
        raise ConfigError(f"{text}: --fresh begins anew")
    bundle = current(settings.bundles)
    job = Job(
        wish=wish,
        export_id=uuid.uuid4().hex,
        bundle_version=bundle.name,
        query_time=int(clock()),
        deployment=deployment,
        store_id="",
        erasures=erased,
        count=0,
        layout=LAYOUT,
        repeated=0,
    )
    with opened_worker(job, folder.part, settings, "begin", clock=clock) as worker:
        worker.trial()
        store = worker.store
        audience = find(worker.desk.snapshot.recommender, store)
        store_id = "" if store is None else store.id
        attributes = attributes_of(wish, store)
    job = job.model_copy(
        update={
            "store_id": store_id,
            "count": len(audience.customer_ids),
            "repeated": audience.repeated,
            "attributes": attributes,
        }
    )
    folder.begin(job, audience.customer_ids)
    return job


def _made(crew: Crew, settings: ServingSettings, folder: Folder, progress: Progress) -> Exported:
    """Has all parts made that are not there yet, and tells the store what is in them."""
    job, customers = crew.job, folder.customers()
    notes: dict[int, dict[str, Any]] = {}
    left: list[int] = []
    for number in range(job.parts):
        note = folder.done(number, job.wish)
        if note is None:
            left.append(number)
        else:
            tell_store(folder.shown(number), settings)
            notes[number] = note
    resumed, done = len(notes), sum(len(_of(customers, job, number)) for number in notes)
    progress(STAGE, done, job.count)
    parts = [Part(number, _of(customers, job, number)) for number in left]
    with closing(crew.made(parts)) as made:
        for told in made:
            notes[told.part] = folder.take(told, job.wish)
            tell_store(folder.shown(told.part), settings)
            done += len(_of(customers, job, told.part))
            progress(STAGE, done, job.count)
    return Exported(_manifest(job, notes, crew.clock), resumed)


def _of(customers: pl.Series, job: Job, number: int) -> pl.Series:
    """Returns the customers of a part."""
    size = job.wish.part_size
    return customers[number * size : (number + 1) * size]


def _manifest(
    job: Job, notes: dict[int, dict[str, Any]], clock: Callable[[], float]
) -> dict[str, Any]:
    files = [notes[number] for number in sorted(notes)]
    counts = {kind: sum(note.get(kind, 0) for note in files) for kind in COUNTS}
    digests = "\n".join(note["sha256"] for note in files)
    wish = job.wish.model_dump(mode="json")
    apart = {note["file"]: note["held_out_file"] for note in files if note.get("held_out_file")}
    return {
        "export_id": job.export_id,
        "bundle_version": job.bundle_version,
        "query_time": _iso(job.query_time),
        "finish_time": _iso(int(clock())),
        "settings": wish,
        "customers": {"asked": job.count, "repeated": job.repeated, **counts},
        "digest": hashlib.sha256(digests.encode()).hexdigest(),
        "files": {
            note["file"]: {
                "customers": note["written"],
                "size": note["size"],
                "sha256": note["sha256"],
            }
            for note in files
        },
        "held_out_files": apart,
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()

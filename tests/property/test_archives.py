"""Whatever is stored, archived, erased and killed when: the log has each event exactly once."""

import dataclasses
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.store import archives as archives_module
from recsys.store import archiving
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.log import Log
from recsys.store.open import open_store
from recsys.store.store import Store
from tests.stores import DAY, DAY_US, log_event

PLACES = ("part", "file", "asked", "done")
"""Where a process dies: before its file is whole, before it asks, before or after the commit."""


class Killed(BaseException):
    pass


@dataclasses.dataclass
class Fate:
    """Says when the process dies: at the so-many-th time that it comes to a place."""

    place: str
    left: int

    def at(self, place: str) -> None:
        if place == self.place:
            self.left -= 1
            if self.left == 0:
                raise Killed


@dataclasses.dataclass
class Mortal:
    """A writer that is asked by a process that dies; what it asked may come much later."""

    store: Store
    fate: Fate
    late: list[tuple[str, Any]] = dataclasses.field(default_factory=list)

    def write(self, name: str, arguments: Any) -> Any:
        if name == "begin_archiving":
            return self.store.writer.write(name, arguments)
        self.fate.at("file")
        try:
            self.fate.at("asked")
        except Killed:
            self.late.append((name, arguments))
            raise
        result = self.store.writer.write(name, arguments)
        self.fate.at("done")
        return result

    def close(self) -> None:
        pass


appends = st.tuples(
    st.just("append"), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12)
)
archivings = st.tuples(st.just("archive"), st.integers(0, 11), st.integers(0, 80))
erasures = st.tuples(st.just("erase"), st.integers(0, 3))
steps = st.lists(
    st.tuples(
        st.one_of(appends, archivings, erasures),
        st.builds(Fate, st.sampled_from(PLACES), st.integers(1, 4)),
    ),
    max_size=14,
)


def mortal_file(fate: Fate) -> Any:
    write = archives_module.write_file

    def write_file(folder: Path, key: str, events: pl.DataFrame) -> Any:
        try:
            fate.at("part")
        except Killed:
            (folder / f"{key}.part").parent.mkdir(parents=True, exist_ok=True)
            (folder / f"{key}.part").write_bytes(b"half")
            raise
        return write(folder, key, events)

    return write_file


def act(store: Store, step: Any, fate: Fate, late: list[tuple[str, Any]]) -> None:
    writer = Mortal(store, fate, late)
    archives = Archives(dataclasses.replace(store, writer=writer))
    write_file, archiving.write_file = archiving.write_file, mortal_file(fate)
    archives_module.write_file = archiving.write_file
    try:
        if step[0] == "archive":
            archive(archives, before=DAY + step[1] * DAY_US, up_to=step[2])
        else:
            archives.without({f"customer-{step[1]}"})
    except Killed:
        pass
    finally:
        archiving.write_file = archives_module.write_file = write_file


def ids(store: Store) -> Counter[str]:
    return Counter(name for frame in Log.of(store).batches() for name in frame["event_id"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_each_event_once(told: list[tuple[Any, Fate]]) -> None:
    with TemporaryDirectory() as folder:
        store = open_store(f"store://{folder}/store")
        customer_of: dict[str, str] = {}
        expected: set[str] = set()
        late: list[tuple[str, Any]] = []
        for step, fate in told:
            if step[0] == "append":
                batch = [
                    log_event(f"e{n}", f"customer-{n % 4}", event_time=DAY + day * DAY_US + n)
                    for n, day in step[1]
                ]
                fresh = {str(event.event_id) for event in batch} - customer_of.keys()
                assert store.append(batch).stored == len(fresh)
                expected |= fresh
                customer_of |= {str(event.event_id): event.customer_id for event in batch}
                continue
            overdue, late = late, []
            act(store, step, dataclasses.replace(fate), late)
            for name, arguments in overdue:
                store.writer.write(name, arguments)
            found = ids(store)
            assert max(found.values(), default=1) == 1
            if step[0] == "erase":
                may_go = {name for name in expected if customer_of[name] == f"customer-{step[1]}"}
                assert expected - may_go <= found.keys() <= expected
                expected = set(found)
            assert found.keys() == expected
        store.close()

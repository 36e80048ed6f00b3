"""Events that leave the table for archives: each in one of the two, whatever is killed when."""

import dataclasses
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.data.events import EVENT_SCHEMA
from recsys.errors import ConfigError, DataError, StoreUnavailableError
from recsys.store import archiving
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.log import Log
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.stores import DAY, DAY_US, log_event, week


def union(store: Store) -> pl.DataFrame:
    return pl.concat(list(Log.of(store).batches())).sort("position")


def test_old_days_move_and_nothing_else_changes(store: Store) -> None:
    store.append(week())
    before = union(store)
    moved = archive(Archives(store), before=DAY + 4 * DAY_US + 5, up_to=28)
    assert (moved.events, moved.files, moved.days) == (16, 4, 4)
    assert len(store.rows(0, 100, 100)) == 12
    assert union(store).equals(before)
    assert union(store).schema == {"position": pl.Int64(), **EVENT_SCHEMA}
    assert archive(Archives(store), before=DAY + 4 * DAY_US, up_to=28).events == 0


def test_an_archived_event_that_is_sent_again_is_known(store: Store) -> None:
    store.append(week())
    archive(Archives(store), before=DAY + 9 * DAY_US, up_to=28)
    assert store.append(week())[:3] == (0, 28, 0)
    assert store.append([log_event("new")]).last_position == 29


def test_events_after_the_position_stay(store: Store) -> None:
    store.append(week())
    archive(Archives(store), before=DAY + 9 * DAY_US, up_to=20)
    assert [row[0] for row in store.rows(0, 100, 100)] == list(range(21, 29))


def test_a_log_ends_where_it_ended(store: Store) -> None:
    store.append(week()[:10])
    log = Log.of(store)
    store.append(week()[10:])
    archive(Archives(store), before=DAY + 9 * DAY_US, up_to=28)
    assert log.end[1:] == (10, 0)
    assert sum(map(len, log.batches())) == 10


def test_what_is_archived_while_the_log_is_read_comes_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.store.log.BATCH", 7)
    store.append(week())
    archive(Archives(store), before=DAY + DAY_US, up_to=28)
    batches = Log.of(store).batches()
    read = [next(batches)]
    archive(Archives(store), before=DAY + 3 * DAY_US, up_to=28)
    read += batches
    assert pl.concat(read)["event_id"].sort().to_list() == sorted(e.event_id for e in week())


def test_customers_are_found_and_taken_out(store: Store) -> None:
    visitor = visitor_key("v")
    store.append([*week(), log_event("v1", visitor, event_time=DAY)])
    archives = Archives(store)
    archive(archives, before=DAY + 5 * DAY_US, up_to=29)
    mine = {"customer-1", visitor}
    expected = [row for row in union(store).iter_rows() if row[2] not in mine]
    found = archives.events_of(mine)
    assert found["customer_id"].unique().sort().to_list() == ["customer-1", visitor]
    assert archives.count_of(mine) == len(found) > 1
    assert archives.without(mine) == len(found)
    assert archives.count_of(mine) == archives.without(mine) == 0
    left = union(store).filter(~pl.col("customer_id").is_in(mine))
    assert left.rows() == expected
    for path in archives.folder.rglob("*"):
        assert path.is_dir() or b"customer-1" not in path.read_bytes()


def test_a_file_of_one_customer_alone_goes(store: Store) -> None:
    store.append([log_event("a", "anna", event_time=DAY)])
    archives = Archives(store)
    archive(archives, before=DAY + DAY_US, up_to=1)
    assert archives.without({"anna"}) == 1
    assert archives.files() == []
    assert list(archives.folder.rglob("*.parquet")) == []


def test_what_is_written_again_while_it_is_read_is_read(store: Store) -> None:
    store.append(week())
    archives = Archives(store)
    archive(archives, before=DAY + DAY_US, up_to=28)
    [file] = archives.files()
    archives.without({"customer-0"})
    assert set(archives.read(file)["customer_id"]) == {"customer-1", "customer-2"}
    archives.without({"customer-1", "customer-2"})
    assert archives.read(file).is_empty()
    assert archives._of(file, pl.col("customer_id") == "customer-1").is_empty()


def test_damage_is_seen(store: Store) -> None:
    store.append(week())
    archives = Archives(store)
    archive(archives, before=DAY + DAY_US, up_to=28)
    [file] = archives.files()
    path = archives.folder / file.name
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        archives.read(file)
    path.unlink()
    for look in (lambda: archives.read(file), lambda: archives.count_of({"customer-0"})):
        with pytest.raises(DataError, match="missing"):
            look()


def test_a_folder_is_needed(store: Store) -> None:
    with pytest.raises(ConfigError, match="--archives"):
        archive(Archives(dataclasses.replace(store, archives=None)), before=0, up_to=0)


class Killed(BaseException):
    pass


@dataclasses.dataclass
class Faulty:
    """Ends the process, as it were, before or after it asks the writer."""

    store: Store
    name: str
    place: str
    asked: list[tuple[str, Any]] = dataclasses.field(default_factory=list)

    def write(self, name: str, arguments: Any) -> Any:
        self.asked.append((name, arguments))
        if name == self.name and self.place == "before":
            raise Killed
        result = self.store.writer.write(name, arguments)
        if name == self.name and self.place == "after":
            raise Killed
        return result

    def close(self) -> None:
        pass


def is_killed(archives: Archives, before: int) -> bool:
    try:
        archive(archives, before=before, up_to=28)
        archives.without({"customer-0"})
    except Killed:
        return True
    return False


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", ["archive_events", "replace_archive", "begin_archiving"])
def test_killed_between_file_and_commit(store: Store, name: str, place: str) -> None:
    store.append(week())
    before = union(store)
    broken = Archives(dataclasses.replace(store, writer=Faulty(store, name, place)))
    assert is_killed(broken, DAY + 2 * DAY_US)
    if name != "replace_archive":
        assert union(store).equals(before)
    archives = Archives(store)
    archive(archives, before=DAY + 2 * DAY_US, up_to=28)
    if name == "replace_archive":
        archives.without({"customer-0"})
        assert archives.count_of({"customer-0"}) == 0
    else:
        assert union(store).equals(before)
    archives.clean()
    files = {p.relative_to(archives.folder).as_posix() for p in archives.folder.glob("date=*/*")}
    assert files == {file.name for file in archives.files()}


@pytest.mark.parametrize("name", ["archive_events", "replace_archive"])
def test_what_a_killed_process_asked_for_is_refused_when_it_comes_late(
    store: Store, name: str
) -> None:
    store.append(week())
    faulty = Faulty(store, name, "before")
    broken = Archives(dataclasses.replace(store, writer=faulty))
    assert is_killed(broken, DAY + DAY_US)
    before = union(store)
    Archives(store).clean()
    late_name, late = faulty.asked[-1]
    assert late_name == name
    assert store.writer.write(name, late) is False
    assert union(store).equals(before)


class Twice(Faulty):
    """Asks again as if the first answer had been lost."""

    def write(self, name: str, arguments: Any) -> Any:
        first = self.store.writer.write(name, arguments)
        if name == "begin_archiving":
            return first
        assert self.store.writer.write(name, arguments) == first
        return first


def test_an_answer_that_was_lost_is_given_again(store: Store) -> None:
    store.append(week())
    archives = Archives(dataclasses.replace(store, writer=Twice(store, "", "")))
    assert archive(archives, before=DAY + DAY_US, up_to=28).events == 4
    assert archives.without({"customer-0"}) == 2
    assert archives.without({"customer-1", "customer-2"}) == 2
    assert archives.files() == []


def test_events_erased_while_their_file_is_written_are_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(week())
    write = archiving.write_file
    erased: list[int] = []

    def slow(folder: Path, key: str, events: pl.DataFrame) -> Any:
        file = write(folder, key, events)
        if not erased:
            with store.database.transaction() as session:
                erased.append(
                    session.execute("DELETE FROM events WHERE customer_id = ?", ("customer-1",))
                )
        return file

    monkeypatch.setattr(archiving, "write_file", slow)
    archives = Archives(store)
    archive(archives, before=DAY + 9 * DAY_US, up_to=28)
    assert archives.count_of({"customer-1"}) == 0
    assert set(union(store)["customer_id"]) == {"customer-0", "customer-2"}
    assert len(list(archives.folder.glob("date=*/*"))) == len(archives.files())


class Overtaken(Faulty):
    """Another process takes a turn each time, which no lock of a file system has held back."""

    def write(self, name: str, arguments: Any) -> Any:
        if name != "begin_archiving":
            self.store.writer.write("begin_archiving", {})
        return self.store.writer.write(name, arguments)


def test_who_is_overtaken_gives_up_and_has_changed_nothing(store: Store) -> None:
    store.append(week())
    before = union(store)
    overtaken = Archives(dataclasses.replace(store, writer=Overtaken(store, "", "")))
    with pytest.raises(StoreUnavailableError, match="change all the time"):
        archive(overtaken, before=DAY + DAY_US, up_to=28)
    assert list(overtaken.folder.glob("date=*/*")) == []
    archive(Archives(store), before=DAY + DAY_US, up_to=28)
    with pytest.raises(StoreUnavailableError, match="another process"):
        overtaken.without({"customer-0"})
    assert union(store).equals(before)

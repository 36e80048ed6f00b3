"""What every driver of the store still knows of items as they were."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.store.catalogue import ItemColumns, ItemRow
from recsys.store.store import Store

FAR = 2**60


def upsert(store: Store, *item_ids: str, **columns: object) -> None:
    store.upsert_items([ItemColumns(item_id, columns) for item_id in item_ids], replaces=True)


def by_id(rows: list[ItemRow] | None) -> dict[str, ItemRow]:
    assert rows is not None
    assert len({row.item_id for row in rows}) == len(rows)
    return {row.item_id: row for row in rows}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.sets(st.sampled_from("abcdef"), min_size=1), st.integers(0, 3)), max_size=12
    )
)
def test_the_catalogue_of_every_change_can_be_had_again(
    store: Store, changes: list[tuple[set[str], int]]
) -> None:
    first = store.versions().get("catalogue", 0)
    seen = {first: by_id(store.changed_items())}
    for items, price in changes:
        if price == 0:
            store.remove_items(sorted(items))
        else:
            upsert(store, *sorted(items), price=float(price), created_at=5)
        seen[store.versions().get("catalogue", 0)] = by_id(store.changed_items())
    for number, rows in seen.items():
        assert by_id(store.items_at(number)) == rows


def test_what_changes_nothing_is_no_change(store: Store) -> None:
    upsert(store, "a", "b", price=1.0, created_at=5)
    upsert(store, "a", "b", price=1.0, created_at=5)
    assert store.versions()["catalogue"] == 1
    upsert(store, "a", price=1.0, created_at=5)
    upsert(store, "b", price=2.0, created_at=5)
    assert [row.item_id for row in store.changed_items(1)] == ["b"]


def test_before_the_first_change_there_is_nothing(store: Store) -> None:
    upsert(store, "a", price=1.0)
    assert store.items_at(0) == []


def test_what_was_forgotten_is_said_to_be_gone(store: Store) -> None:
    for price in range(5):
        upsert(store, "a", price=float(price))
    upsert(store, "b", price=1.0)  # change 6

    assert store.trim_catalogue(0, 10) == 0
    assert store.items_at(1) is not None
    assert store.trim_catalogue(FAR, 3) == 3
    assert store.items_at(3) is None
    assert len(by_id(store.items_at(4))) == 1
    assert store.trim_catalogue(FAR, 3) == 1
    assert store.trim_catalogue(FAR, 3) == 0
    assert store.items_at(4) is None
    assert by_id(store.items_at(5))["a"].content.startswith('{"created_at"')
    assert len(by_id(store.items_at(6))) == 2
    assert store.items_at(0) == []

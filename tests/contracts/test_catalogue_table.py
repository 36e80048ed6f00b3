"""What every driver of the store does with items."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import UnknownItemError
from recsys.store.catalogue import ItemColumns, ItemRow
from recsys.store.store import Store


def upsert(store: Store, item_id: str, *, replaces: bool = True, **columns: Any) -> bool:
    """Says whether the item was new."""
    given = [ItemColumns(item_id, columns)]
    return store.upsert_items(given, replaces=replaces).created == 1


def held(store: Store, after: int = 0) -> dict[str, dict[str, Any] | None]:
    """Returns the columns of the changed items, None for a removed one."""
    return {
        row.item_id: None if row.removed else json.loads(row.content)
        for row in store.changed_items(after)
    }


def test_a_change_is_read_by_its_number(store: Store) -> None:
    assert store.changed_items() == []
    assert upsert(store, "a", price=1.0, created_at=5)
    assert upsert(store, "b", price=2.0, created_at=5)
    seen = store.versions()["catalogue"]
    assert seen == max(row.change_number for row in store.changed_items()) == 2
    assert not upsert(store, "a", price=3.0)
    assert held(store, seen) == {"a": {"price": 3.0, "created_at": 5}}
    assert store.changed_items(store.versions()["catalogue"]) == []


def test_columns_change_alone_or_all_at_once(store: Store) -> None:
    upsert(store, "a", price=1.0, title="Tea")
    assert not upsert(store, "a", replaces=False, price=2.0, brand=None)
    [row] = store.changed_items()
    assert row.replaces
    columns = json.loads(row.content)
    created = columns.pop("created_at")
    assert created > 1_700_000_000_000_000
    assert columns == {"price": 2.0, "title": "Tea", "brand": None}
    upsert(store, "a", price=4.0)
    assert held(store) == {"a": {"price": 4.0, "created_at": created}}


def test_an_item_of_the_bundle_alone_is_there(store: Store) -> None:
    price = [ItemColumns("a", {"price": 1.0})]
    assert store.upsert_items(price, replaces=False, bundled=["a"]) == (0, 1)
    content = '{"price":1.0}'
    assert store.changed_items() == [
        ItemRow("a", replaces=False, removed=False, content=content, change_number=1)
    ]
    assert store.upsert_items(price, replaces=True, bundled=["a"]) == (0, 1)
    assert store.changed_items() == [
        ItemRow("a", replaces=True, removed=False, content=content, change_number=2)
    ]


def test_nothing_is_stored_where_one_item_is_unknown(store: Store) -> None:
    upsert(store, "a", price=1.0)
    both = [ItemColumns("a", {"price": 2.0}), ItemColumns("b", {"price": 2.0})]
    with pytest.raises(UnknownItemError) as caught:
        store.upsert_items(both, replaces=False)
    assert caught.value.metadata == {"item_id": "b"}
    assert [row.change_number for row in store.changed_items()] == [1]


def test_what_is_removed_comes_back_new(store: Store) -> None:
    upsert(store, "a", price=1.0, created_at=5)
    assert store.remove_items(["a", "b", "c", "a"], bundled=["b"]) == (2, 2)
    assert held(store) == {"a": None, "b": None}
    assert store.remove_items(["a", "b"], bundled=["b"]) == (0, 2)
    assert store.versions()["catalogue"] == 2
    with pytest.raises(UnknownItemError):
        upsert(store, "a", replaces=False, price=1.0)
    assert upsert(store, "a", price=2.0, created_at=9)
    assert held(store) == {"a": {"price": 2.0, "created_at": 9}, "b": None}


def test_more_items_than_one_statement_takes(store: Store) -> None:
    items = [ItemColumns(f"i{n}", {"price": float(n)}) for n in range(1_000)]
    assert store.upsert_items(items, replaces=True) == (1_000, 0)
    items = [ItemColumns(f"i{n}", {"price": n + 1.0}) for n in range(1_000)]
    assert store.upsert_items(items, replaces=True) == (0, 1_000)
    assert {row.change_number for row in store.changed_items()} == {2}
    assert store.remove_items([item.item_id for item in items]) == (1_000, 0)


IDS = st.sampled_from(["a", "b", "ä", "'; DROP TABLE catalogue; --"])
COLUMNS = st.dictionaries(
    st.sampled_from(["price", "title", "tags"]), st.none() | st.text("ü\"x'%?", max_size=5)
)
STEPS = st.lists(st.tuples(st.sampled_from(["whole", "part", "remove"]), IDS, COLUMNS), max_size=8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_table_is_a_mapping(
    store: Store, steps: list[tuple[str, str, dict[str, Any]]]
) -> None:
    expected: dict[str, dict[str, Any] | None] = {}
    start = store.versions().get("catalogue", 0)
    store.remove_items([row.item_id for row in store.changed_items()])
    for kind, item_id, columns in steps:
        old = expected.get(item_id)
        if kind == "remove":
            assert store.remove_items([item_id]).removed == (old is not None)
            if old is not None:
                expected[item_id] = None
        elif kind == "whole":
            assert upsert(store, item_id, **columns, created_at=1) == (old is None)
            expected[item_id] = {**columns, "created_at": 1}
        elif old is None:
            with pytest.raises(UnknownItemError):
                upsert(store, item_id, replaces=False, **columns)
        else:
            upsert(store, item_id, replaces=False, **columns)
            expected[item_id] = {**old, **columns}
    found = held(store, start)
    assert {key: value for key, value in found.items() if value is not None} == {
        key: value for key, value in expected.items() if value is not None
    }

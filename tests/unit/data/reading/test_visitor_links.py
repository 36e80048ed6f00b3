import polars as pl

from recsys.data.reading.visitor_links import VisitorLinks


def pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    schema = {"visitor_id": pl.String, "customer_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def events(*customers: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": customers}, schema={"customer_id": pl.String})


def test_visitors_with_one_customer_are_that_customer() -> None:
    links = VisitorLinks()
    links.add(pairs(("v1", "ann"), ("v2", "bob")))
    links.add(pairs())
    links.add(pairs(("v1", "ann"), ("v3", "ann")))
    found = links.linked(
        events("visitor/v1", "visitor/v2", "visitor/v3", "visitor/v4", "v1", "cid")
    )
    assert found["customer_id"].to_list() == ["ann", "bob", "ann", "visitor/v4", "v1", "cid"]
    (note,) = links.notes()
    assert note.startswith("3 events name a visitor whom other rows name as one customer")


def test_shared_devices_stay_visitors() -> None:
    links = VisitorLinks()
    links.add(pairs(("till", "ann"), ("v", "ann")))
    links.add(pairs(("till", "bob")))
    found = links.linked(events("visitor/till", "visitor/v"))
    assert found["customer_id"].to_list() == ["visitor/till", "ann"]
    assert [note.split(" ")[0] for note in links.notes()] == ["1", "1"]


def test_nothing_to_link() -> None:
    links = VisitorLinks()
    same = events("visitor/v")
    assert links.linked(same) is same
    assert links.notes() == ()
    links = VisitorLinks()
    links.add(pairs(("v", "ann")))
    assert links.linked(events()).is_empty()


def test_events_of_every_batch_are_counted() -> None:
    links = VisitorLinks()
    links.add(pairs(("v", "ann")))
    for _ in range(2):
        links.linked(events("visitor/v", "visitor/w"))
    assert links.notes()[0].startswith("2 events")

from pathlib import Path

import pytest

from recsys.data.reading import recognition
from recsys.data.reading.readers import find_files
from recsys.data.reading.recognition import Plan, recognise
from recsys.data.reading.sources import Sources
from recsys.errors import ConfigError, DataError

ORDERS = (
    "Name,Email,Financial Status,Created at,Lineitem name,Lineitem sku,Lineitem quantity,"
    "Lineitem price,Source\n"
)
PRODUCTS = "Handle,Title,Variant SKU,Variant Price\n"
CUSTOMERS = "First Name,Last Name,Email,Accepts Email Marketing\n"
FEED = "id,title,description,link,image_link,availability,price\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def tables(plan: Plan) -> dict[str, tuple[str, list[str], bool]]:
    return {
        one.table: (one.profile.name, [file.name for file in one.files], one.given)
        for one in plan.recognised
    }


def test_one_file_and_what_its_rows_say_of_items(tmp_path: Path) -> None:
    events = write(tmp_path, orders=ORDERS) / "orders.csv"
    plan = recognise(Sources(str(events)), {})
    assert tables(plan) == {
        "events": ("shopify", ["orders.csv"], True),
        "items": ("shopify", ["orders.csv"], False),
    }
    assert plan.sources == Sources(str(events), str(events))
    assert plan.mapping.events.columns["customer_id"] == "Email"
    assert plan.mapping.events.files == plan.mapping.items.files == ()
    first, second = (one.sentence() for one in plan.recognised)
    assert first.splitlines() == [
        "events: orders.csv is Shopify, orders export",
        "  by the columns Name, Financial Status, Lineitem name, Lineitem quantity and 1 more",
        "  read with profile shopify; --profile none reads without it",
    ]
    assert "orders.csv (the events' own files) is Shopify" in second


def test_files_of_a_set_beside_the_events(tmp_path: Path) -> None:
    write(tmp_path, orders=ORDERS, products=PRODUCTS, people=CUSTOMERS, other="a,b\n")
    (tmp_path / "old").mkdir()
    write(tmp_path / "old", products=PRODUCTS, people=CUSTOMERS)
    (tmp_path / "broken.parquet").write_text("no Parquet")
    plan = recognise(Sources(str(tmp_path / "orders.csv")), {})
    assert tables(plan)["items"] == ("shopify", ["products.csv"], False)
    assert plan.sources.items == str(tmp_path / "products.csv")
    assert plan.sources.customers == str(tmp_path / "people.csv")
    assert "products.csv (found beside the events) is Shopify" in plan.recognised[1].sentence()


def test_files_that_are_given_come_before_those_beside(tmp_path: Path) -> None:
    write(tmp_path, orders=ORDERS, products=PRODUCTS, feed=FEED)
    feed = str(tmp_path / "feed.csv")
    plan = recognise(Sources(str(tmp_path / "orders.csv"), feed), {})
    assert tables(plan)["items"] == ("google-merchant", ["feed.csv"], True)
    assert plan.sources.items == feed
    assert plan.mapping.items.sale_price == "sale price"


def test_a_folder_with_a_set_of_files(tmp_path: Path) -> None:
    write(tmp_path, orders_1=ORDERS, orders_2=ORDERS, products=PRODUCTS, note="a,b\n")
    plan = recognise(Sources(str(tmp_path)), {})
    assert tables(plan) == {
        "events": ("shopify", ["orders_1.csv", "orders_2.csv"], True),
        "items": ("shopify", ["products.csv"], False),
    }
    files = find_files(plan.sources.events, plan.mapping.events.files)
    assert [file.name for file in files] == ["orders_1.csv", "orders_2.csv"]
    assert plan.sources.items == str(tmp_path / "products.csv")


def test_several_files_beside_are_read_together(tmp_path: Path) -> None:
    write(tmp_path, orders=ORDERS, **{"products[1]": PRODUCTS, "products_2": PRODUCTS})
    plan = recognise(Sources(str(tmp_path / "orders.csv")), {})
    files = find_files(plan.sources.items, plan.mapping.items.files)
    assert [file.name for file in files] == ["products[1].csv", "products_2.csv"]


def test_items_of_a_folders_events_are_read_from_these(tmp_path: Path) -> None:
    write(tmp_path, orders_1=ORDERS, orders_2=ORDERS, note="a,b\n")
    plan = recognise(Sources(str(tmp_path)), {})
    assert plan.sources.items == str(tmp_path)
    assert (
        plan.mapping.items.files == plan.mapping.events.files == ("orders_1.csv", "orders_2.csv")
    )


def test_a_pattern_with_files_of_several_kinds(tmp_path: Path) -> None:
    write(tmp_path, orders=ORDERS, products=PRODUCTS)
    plan = recognise(Sources(str(tmp_path / "*.csv")), {})
    files = find_files(plan.sources.events, plan.mapping.events.files)
    assert [file.name for file in files] == ["orders.csv"]


@pytest.mark.parametrize("other", [False, True])
def test_more_files_than_are_looked_at(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    other: bool,
) -> None:
    monkeypatch.setattr(recognition, "MOST_FILES", 2)
    write(tmp_path, **{f"orders_{n}": ORDERS for n in range(5)})
    if other:
        write(tmp_path, note="a,b\n")
    plan = recognise(Sources(str(tmp_path)), {})
    for source, files in (
        (plan.sources.events, plan.mapping.events.files),
        (plan.sources.items, plan.mapping.items.files),
    ):
        names = [file.name for file in find_files(source, files)]
        assert names == [f"orders_{n}.csv" for n in range(5)]


def test_names_that_differ_in_case_spaces_and_signs(tmp_path: Path) -> None:
    header = ORDERS.replace(" ", "_").upper()
    plan = recognise(Sources(str(write(tmp_path, o=header) / "o.csv")), {})
    events = plan.mapping.events
    assert events.columns["customer_id"] == "EMAIL"
    assert events.fill_down.by == "NAME"
    assert set(events.returns.when) == {"FINANCIAL_STATUS", "Cancelled at"}


def test_what_the_user_says_is_laid_over(tmp_path: Path) -> None:
    source = Sources(str(write(tmp_path, o=ORDERS) / "o.csv"))
    own = {"events": {"columns": {"item_id": "Lineitem name"}}, "max_reject_rate": 0.5}
    plan = recognise(source, own)
    assert plan.mapping.max_reject_rate == 0.5
    assert plan.mapping.events.columns["item_id"] == "Lineitem name"
    assert plan.mapping.events.columns["customer_id"] == "Email"
    assert plan.mapping.items.columns["item_id"] == "Lineitem name"


def test_the_form_of_the_events_is_that_of_their_items(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("the export\n" + ORDERS.replace(",", ";"))
    own = {"events": {"delimiter": ";", "skip_rows": 1}}
    plan = recognise(Sources(str(tmp_path / "o.csv")), own)
    assert tables(plan)["items"][0] == "shopify"
    assert (plan.mapping.items.delimiter, plan.mapping.items.skip_rows) == (";", 1)


def test_profiles_by_name(tmp_path: Path) -> None:
    write(tmp_path, orders=ORDERS, plain="customer,item,date,note\n")
    source = Sources(str(tmp_path / "orders.csv"))
    assert tables(recognise(source, {}, "shopify"))["events"][0] == "shopify"
    none = recognise(source, {"events": {"zone": "Europe/London"}}, "none")
    assert (none.recognised, none.sources) == ((), source)
    assert none.mapping.events.columns == {}
    with pytest.raises(ConfigError, match="there is no profile 'shop'"):
        recognise(source, {}, "shop")
    with pytest.raises(DataError, match=r"no file that profile ga4 knows; nearest is BigQuery"):
        recognise(source, {}, "ga4")
    plain = Sources(str(tmp_path / "plain.csv"))
    assert recognise(plain, {}).recognised == ()


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path, plain="customer,item,date,note\n")
    own = tmp_path / "own.toml"
    own.write_text(
        'title = "Own"\n[[events]]\nexport = "till"\nrecognise = ["note", "item"]\n'
        '[events.columns]\ncustomer_id = "customer"\n'
    )
    plan = recognise(Sources(str(tmp_path / "plain.csv")), {}, str(own))
    assert tables(plan) == {"events": ("own", ["plain.csv"], True)}


def test_wrong_mappings_are_said_before_files_are_read(tmp_path: Path) -> None:
    source = Sources(str(write(tmp_path, o=ORDERS) / "o.csv"))
    for own in ({"events": {"delimiter": ""}}, {"events": "x"}, {"event": {}}):
        with pytest.raises(ConfigError, match="mapping"):
            recognise(source, own)


def test_without_events_nothing_is_recognised(tmp_path: Path) -> None:
    plan = recognise(Sources(items=str(tmp_path / "none.csv")), {})
    assert plan.recognised == ()


@pytest.mark.parametrize(
    "header",
    [
        "user_id,item_id,timestamp,event_type,price,quantity",
        "user_id,item_id,rating,timestamp",
        "timestamp,visitor_id,event,item_id,transaction_id,customer_id,price",
        "customer_id,item_id,event_time,quantity,unit_price",
        "id,title,link,availability,price,category,stock",
        "event_time,event_type,product_id,user_id,price",
    ],
)
def test_common_names_are_nobodys(header: str, tmp_path: Path) -> None:
    write(tmp_path, e=header + "\n", c="user_id,age\n")
    source = Sources(str(tmp_path / "e.csv"), customers=str(tmp_path / "c.csv"))
    assert recognise(source, {}).recognised == ()

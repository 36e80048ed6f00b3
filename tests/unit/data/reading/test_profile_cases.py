"""Small files in the exact shape of exports, read as their headers are recognised."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.prepare import prepare
from recsys.data.reading.recognition import recognise
from recsys.data.reading.sources import Sources

NOW = datetime(2026, 12, 1, tzinfo=UTC)

HM = {
    "transactions_train.csv": (
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2020-01-01,c1,108775015,0.05,2\n2020-01-02,c2,0108775044,0.03,1\n"
        "2020-01-02,c2,0108775044,0.03,1\n"
    ),
    "articles.csv": (
        "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,"
        "index_name,index_group_name\n"
        "0108775015,0108775,Strap top,253,Vest top,Garment Upper body,Ladieswear,Ladieswear\n"
    ),
    "customers.csv": (
        "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
        "c1,1.0,1.0,ACTIVE,NONE,49.0,abc\n"
    ),
}
REES46 = {
    "2019-Oct.csv": (
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
        "user_session\n"
        "2019-10-01 00:00:00 UTC,view,44600062,2103807459595387724,,shiseido,35.79,541312140,s-1\n"
        "2019-10-01 00:00:01 UTC,cart,3900821,2053013552326770905,"
        "appliances.environment.water_heater,aqua,33.20,554748717,s-2\n"
        "2019-10-01 00:00:04 UTC,purchase,3900821,2053013552326770905,"
        "appliances.environment.water_heater,aqua,33.20,554748717,s-2\n"
    )
}
ONLINE_RETAIL = {
    "online_retail.csv": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
        "C536379,85123A,HOLDER,-1,2010-12-01 09:41:00,2.55,17850.0,United Kingdom\n"
        "536370,POST,POSTAGE,3,2010-12-01 08:45:00,18.0,12583.0,France\n"
        "536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom\n"
    )
}
ONLINE_RETAIL_II = {
    "online_retail_II.csv": ONLINE_RETAIL["online_retail.csv"]
    .replace("InvoiceNo", "Invoice")
    .replace("UnitPrice", "Price")
    .replace("CustomerID", "Customer ID")
}
SQUARE = {
    "items.csv": (
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Net Sales,Transaction ID,"
        "Event Type,Location,Customer ID\n"
        "2024-01-31,13:45:00,Eastern Time,Drinks,Latte,2.0,Large,,9.00,T1,Payment,Soho,C1\n"
        "2024-01-31,14:00:00,Eastern Time,Drinks,Latte,-1.0,Large,,-4.50,T2,Refund,Soho,C1\n"
        "2024-01-31,14:05:00,Eastern Time,Beans,House,1.0,Regular,B-1,15.00,T3,Payment,Soho,\n"
    )
}
ADVANCED = {
    "orders.csv": (
        "Order Number,Order Status,Order Date,Email (Billing),SKU,Item #,Item Name,"
        "Quantity (- Refund),Item Cost\n"
        "10,Completed,2024-01-05 13:22,a@example.org,T1,1,Tea,2,4.5\n"
        "10,Completed,2024-01-05 13:22,a@example.org,C1,2,Cup,0,8\n"
        "11,Refunded,2024-01-06 13:22,b@example.org,C1,1,Cup,1,8\n"
    )
}
PERSONALIZE = {
    "interactions.csv": (
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n"
        "u1,i1,1586731606,View,1\nu1,i1,1586735164,AddToCart,1\nu1,i1,1586735200,Purchase,1\n"
        "u2,i2,1586735300,Watch,0.9\nu2,i2,1586735400,Click,1\n"
    ),
    "items.csv": (
        "ITEM_ID,PRICE,CATEGORY_L1,CATEGORY_L2,CREATION_TIMESTAMP\n"
        "i1,18.99,Toys|Games,Board,1570003267\n"
    ),
    "users.csv": "USER_ID,MEMBERLEVEL\nu1,Gold\n",
}


def read(folder: Path, files: dict[str, str]) -> tuple[str, dict[str, pl.DataFrame]]:
    for name, text in files.items():
        (folder / name).write_text(text)
    plan = recognise(Sources(str(folder / next(iter(files)))), {})
    mapping = plan.mapping.model_copy(update={"max_reject_rate": 0.0})
    prepare(plan.sources, folder / "out", mapping, now=NOW)
    found = {file.stem: pl.read_parquet(file) for file in (folder / "out").glob("*.parquet")}
    return plan.recognised[0].profile.name, found


EVENT = ("event_type", "customer_id", "item_id", "quantity", "unit_price")


@pytest.mark.parametrize(
    ("files", "profile", "events"),
    [
        (
            HM,
            "hm",
            [
                ("purchase", "c1", "108775015", 1.0, 0.05),
                ("purchase", "c2", "0108775044", 1.0, 0.03),
                ("purchase", "c2", "0108775044", 1.0, 0.03),
            ],
        ),
        (
            REES46,
            "rees46",
            [
                ("view", "541312140", "44600062", 1.0, 35.79),
                ("add-to-cart", "554748717", "3900821", 1.0, 33.2),
                ("purchase", "554748717", "3900821", 1.0, 33.2),
            ],
        ),
        (
            ONLINE_RETAIL,
            "online-retail",
            [
                ("purchase", "17850", "85123A", 6.0, 2.55),
                ("return", "17850", "85123A", 1.0, 2.55),
            ],
        ),
        (
            ONLINE_RETAIL_II,
            "online-retail",
            [
                ("purchase", "17850", "85123A", 6.0, 2.55),
                ("return", "17850", "85123A", 1.0, 2.55),
            ],
        ),
        (
            SQUARE,
            "square",
            [
                ("purchase", "C1", "Latte", 2.0, 4.5),
                ("return", "C1", "Latte", 1.0, 4.5),
            ],
        ),
        (
            ADVANCED,
            "woocommerce",
            [
                ("purchase", "a@example.org", "T1", 2.0, 4.5),
                ("return", "b@example.org", "C1", 1.0, 8.0),
            ],
        ),
        (
            PERSONALIZE,
            "personalize",
            [
                ("view", "u1", "i1", 1.0, None),
                ("add-to-cart", "u1", "i1", 1.0, None),
                ("purchase", "u1", "i1", 1.0, None),
                ("view", "u2", "i2", 1.0, None),
                ("click", "u2", "i2", 1.0, None),
            ],
        ),
    ],
    ids=["hm", "rees46", "online-retail", "online-retail-ii", "square", "advanced", "personalize"],
)
def test_events(
    files: dict[str, str], profile: str, events: list[tuple[object, ...]], tmp_path: Path
) -> None:
    name, tables = read(tmp_path, files)
    assert name == profile
    assert tables["events"].sort("event_time").select(EVENT).rows() == events


def test_items_of_hm(tmp_path: Path) -> None:
    items = read(tmp_path, HM)[1]["items"]
    assert items.filter(pl.col("title").is_not_null())["group_id"].to_list() == ["0108775"]
    category = ["Ladieswear", "Ladieswear", "Garment Upper body", "Vest top"]
    assert items["category"].drop_nulls().to_list() == [category]


def test_items_of_rees46(tmp_path: Path) -> None:
    items = read(tmp_path, REES46)[1]["items"].sort("item_id")
    assert items["category"].to_list() == [["appliances", "environment", "water_heater"], None]
    assert items["brand"].to_list() == ["aqua", "shiseido"]


def test_items_and_customers_of_personalize(tmp_path: Path) -> None:
    tables = read(tmp_path, PERSONALIZE)[1]
    item = tables["items"].row(by_predicate=pl.col("item_id") == "i1", named=True)
    assert item["category"] == ["Toys", "Board"]
    assert item["created_at"] == datetime(2019, 10, 2, 8, 1, 7, tzinfo=UTC)
    assert tables["customers"]["customer_id"].to_list() == ["u1"]


def test_items_of_square_are_those_of_the_sales(tmp_path: Path) -> None:
    items = read(tmp_path, SQUARE)[1]["items"].sort("item_id")
    assert items["item_id"].to_list() == ["B-1", "Latte"]
    assert items["title"].to_list() == ["House Regular", "Latte Large"]


SHOPIFY_ORDERS = (
    "Name,Email,Financial Status,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem sku,Cancelled at,Vendor,Source\n"
    "#1,a@example.org,paid,2025-01-01 10:00:00 +0000,1,Tee - Red,19.00,TEE,,Acme,web\n"
    "#2,b@example.org,paid,2025-01-02 10:00:00 +0000,2,Mug,8.50,MUG,,Acme,web\n"
    "#3,a@example.org,paid,2025-01-03 10:00:00 +0000,1,Cap,12.00,CAP,,Acme,web\n"
)
SHOPIFY_PRODUCTS = (
    "Handle,Title,Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,"
    "Variant Compare At Price,Status\n"
    "tee,Tee,Acme,Shirts,,TRUE,Color,Red,TEE,shopify,0,continue,19.00,25.00,active\n"
    "mug,Mug,Acme,Mugs,,TRUE,Title,Default Title,MUG,,0,deny,8.50,0.00,active\n"
    "cap,Cap,Acme,Caps,,TRUE,Title,Default Title,CAP,shopify,4,deny,12.00,,active\n"
)


@pytest.mark.parametrize(
    "files",
    [
        {"orders.csv": SHOPIFY_ORDERS},
        {"orders.csv": SHOPIFY_ORDERS, "products.csv": SHOPIFY_PRODUCTS},
        {**REES46, "2019-Nov.csv": REES46["2019-Oct.csv"].replace("2019-10", "2019-11")},
        {name: text.replace("aqua", "").replace("shiseido", "") for name, text in REES46.items()},
    ],
    ids=["no-till-sales", "back-orders", "two-months", "no-brands"],
)
def test_what_a_profile_says_for_every_shop_is_no_warning_for_one(
    files: dict[str, str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    plan = recognise(Sources(str(tmp_path / next(iter(files)))), {})
    report = prepare(plan.sources, tmp_path / "out", plan.mapping, now=NOW)
    assert report.warnings == ()


def test_a_rule_of_ones_own_without_effect_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(SHOPIFY_ORDERS)
    own = {"events": {"require": {"item_id": {"present": True}}}}
    plan = recognise(Sources(str(tmp_path / "orders.csv")), own)
    report = prepare(plan.sources, tmp_path / "out", plan.mapping, now=NOW)
    (warning,) = report.warnings
    assert "require.item_id had no effect" in warning.text


def test_a_price_to_compare_with_of_nothing_is_none(tmp_path: Path) -> None:
    files = {"orders.csv": SHOPIFY_ORDERS, "products.csv": SHOPIFY_PRODUCTS}
    items = read(tmp_path, files)[1]["items"].sort("item_id")
    assert items["list_price"].to_list() == [None, None, 25.0]


def test_segment_events_in_another_spelling(tmp_path: Path) -> None:
    calls = [("product_added", "P1"), ("order_completed", "P2"), ("Product Viewed", "P3")]
    lines = [
        f'{{"messageId":"m{n}","type":"track","anonymousId":"a","userId":"u","event":"{event}",'
        f'"timestamp":"2025-03-01T10:00:0{n}Z","properties":{{"product_id":"{item}"}}}}'
        for n, (event, item) in enumerate(calls)
    ]
    name, tables = read(tmp_path, {"s.jsonl": "\n".join(lines)})
    assert name == "segment"
    kinds = tables["events"].sort("event_time")["event_type"].to_list()
    assert kinds == ["add-to-cart", "purchase", "view"]


def test_several_product_types_of_a_feed(tmp_path: Path) -> None:
    (tmp_path / "feed.tsv").write_text(
        "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tproduct_type\n"
        "p1\tTee\td\tl\ti\tin_stock\t19.00 EUR\tHome > Tees, Home > Gifts\n"
    )
    (tmp_path / "orders.csv").write_text("customer_id,item_id,date\nc1,p1,2025-01-01\n")
    given = Sources(str(tmp_path / "orders.csv"), str(tmp_path / "feed.tsv"))
    plan = recognise(given, {})
    prepare(plan.sources, tmp_path / "out", plan.mapping, now=NOW)
    (item,) = pl.read_parquet(tmp_path / "out" / "items.parquet").rows(named=True)
    assert item["category"] == ["Home", "Tees"]
    assert item["tags"] == ["Home > Tees", "Home > Gifts"]


WOO = (
    "order_id,status,date,customer_id,billing_email,item_product_id,item_name,item_quantity,"
    "item_total,item_refunded_qty\n"
    "1,completed,2025-01-01 10:00:00,1,a@example.org,12,Tea,3,30.00,-1\n"
    "2,completed,2025-01-02 10:00:00,2,b@example.org,13,Cup,1,8.00,0\n"
)


def test_units_that_were_refunded_are_mentioned(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(WOO)
    plan = recognise(Sources(str(tmp_path / "orders.csv")), {})
    report = prepare(plan.sources, tmp_path / "out", plan.mapping, now=NOW)
    assert "1 events: some of their units were refunded" in " ".join(
        look.text for look in report.looks
    )


def test_a_variable_product_is_of_the_group_of_its_variations(tmp_path: Path) -> None:
    products = (
        "ID,Type,SKU,Name,Regular price,Categories,Parent\n"
        '12,variable,TEA,Tea,,"Food\\, drinks > Tea, Gifts",\n14,variation,TEA-1,Tea 1,5,,TEA\n'
    )
    items = read(tmp_path, {"orders.csv": WOO, "products.csv": products})[1]["items"]
    assert items.sort("item_id")["group_id"].to_list() == ["TEA", None, "TEA"]
    assert items.sort("item_id")["category"].to_list() == [["Food, drinks", "Tea"], None, None]


SHOPIFY_API = (
    '{"orders":[{"id":1,"name":"#1","email":"a@example.org","financial_status":"paid",'
    '"created_at":"2025-02-02T10:00:00-05:00","cancelled_at":null,"test":false,"line_items":['
    '{"sku":"S1","variant_id":11,"quantity":2,"price":"10.00","name":"Tea"},'
    '{"sku":"","variant_id":12,"quantity":1,"price":"3.50","name":"Cup"}]},'
    '{"id":2,"name":"#2","email":"b@example.org","financial_status":"refunded",'
    '"created_at":"2025-02-03T10:00:00-05:00","cancelled_at":null,"test":false,"line_items":['
    '{"sku":"S1","variant_id":11,"quantity":1,"price":"10.00","name":"Tea"}]},'
    '{"id":3,"name":"#3","email":"b@example.org","financial_status":"paid",'
    '"created_at":"2025-02-04T10:00:00-05:00","cancelled_at":null,"test":true,"line_items":['
    '{"sku":"S1","variant_id":11,"quantity":9,"price":"10.00","name":"Tea"}]}]}'
)
WOO_API = (
    '[{"id":7,"number":"7","status":"completed","date_created":"2025-03-22T16:28:02",'
    '"date_created_gmt":"2025-03-22T19:28:02","customer_id":0,"billing":{"email":"g@example.org"},'
    '"line_items":[{"product_id":93,"variation_id":0,"quantity":2,"total":"6.00","sku":"w"}]}]'
)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (
            SHOPIFY_API,
            [
                ("purchase", "a@example.org", "12", 1.0, 3.5),
                ("purchase", "a@example.org", "S1", 2.0, 10.0),
                ("return", "b@example.org", "S1", 1.0, 10.0),
            ],
        ),
        (WOO_API, [("purchase", "g@example.org", "93", 2.0, 3.0)]),
    ],
    ids=["shopify", "woocommerce"],
)
def test_orders_of_an_api(text: str, events: list[tuple[object, ...]], tmp_path: Path) -> None:
    name, tables = read(tmp_path, {"orders.json": text})
    assert name == ("shopify" if text == SHOPIFY_API else "woocommerce")
    found = tables["events"].sort("event_time", "item_id")
    assert found.select(EVENT).rows() == events
    first = datetime(2025, 2, 2, 15, tzinfo=UTC)
    if text == WOO_API:
        first = datetime(2025, 3, 22, 19, 28, 2, tzinfo=UTC)
    assert found["event_time"][0] == first

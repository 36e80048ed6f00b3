"""Made-up exports in the exact shape of well-known systems: one small shop, written by each."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

CUSTOMERS, ORDERS, ITEMS = 12, 4, 8
START = datetime(2025, 1, 5, 9, 30, tzinfo=UTC)
TITLES = ("Mug", "Tea", "Cap", "Soap", "Bag", "Tray", "Belt", "Lamp")
KINDS = ("Kitchen", "Food", "Clothes", "Bath")


class Line(NamedTuple):
    """One line of an order."""

    customer: int
    order: int
    """Counted over the whole shop, from 1."""
    turn: int
    """Counted among the customer's orders, from 1."""
    place: int
    """Of the line in its order, from 0."""
    item: int
    quantity: int
    time: datetime

    @property
    def price(self) -> float:
        return 5.0 + 2.5 * self.item


def lines() -> Iterator[Line]:
    order = 0
    for turn in range(ORDERS):
        for customer in range(CUSTOMERS):
            order += 1
            time = START + timedelta(days=30 * turn + customer, minutes=customer)
            for place in range(1 + (customer + turn) % 3):
                item = (customer + 2 * turn + 3 * place) % ITEMS
                yield Line(customer, order, turn + 1, place, item, 1 + place, time)


def table(header: str, rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([header.split(delimiter), *rows])
    return text.getvalue()


def shopify() -> dict[str, str]:
    header = (
        "Name,Email,Financial Status,Paid at,Currency,Created at,Lineitem quantity,Lineitem name,"
        "Lineitem price,Lineitem sku,Cancelled at,Refunded Amount,Vendor,Id,Source"
    )
    rows = []
    for line in lines():
        first = line.place == 0
        at = f"{line.time:%Y-%m-%d %H:%M:%S} +0000"
        rows.append(
            (
                *(f"#{line.order}", f"c{line.customer}@example.org"),
                *(("paid", at, "EUR") if first else ("", "", "")),
                *(at, line.quantity, TITLES[line.item], line.price, f"SKU-{line.item}"),
                *("", "0.00" if first else "", "Ours", line.order if first else ""),
                "web" if first else "",
            )
        )
    products = "Handle,Title,Vendor,Type,Tags,Published,Variant SKU,Variant Inventory Qty"
    products += ",Variant Inventory Policy,Variant Price,Status"
    goods = [
        (
            *(title.lower(), title, "Ours", KINDS[n % 4], "a, b", "true", f"SKU-{n}"),
            *(0 if n == ITEMS - 1 else 9, "deny", 5.0 + 2.5 * n, "active"),
        )
        for n, title in enumerate(TITLES)
    ]
    return {
        "orders_export_1.csv": table(header, rows),
        "products_export_1.csv": table(products, goods),
    }


def woocommerce() -> dict[str, str]:
    header = "order_id,order_date,status,customer_id,customer_email,line_item_1,line_item_2"
    header += ",line_item_3"
    orders: dict[int, list[Line]] = {}
    for line in lines():
        orders.setdefault(line.order, []).append(line)
    rows = []
    for order, parts in orders.items():
        cells = [
            f"name:{TITLES[part.item]}|product_id:{10 + part.item}|quantity:{part.quantity}"
            f"|total:{part.price * part.quantity:.2f}"
            for part in parts
        ]
        who = parts[0].customer
        head = (order, f"{parts[0].time:%Y-%m-%d %H:%M:%S}", "completed", who)
        rows.append((*head, f"c{who}@example.org", *cells, *[""] * (3 - len(cells))))
    return {"orders.csv": table(header, rows)}


def magento() -> dict[str, str]:
    items, orders = [], {}
    for number, line in enumerate(lines(), start=1):
        at = f"{line.time:%Y-%m-%d %H:%M:%S}"
        row = (number, line.order, "", at, f"sku-{line.item}", TITLES[line.item])
        items.append((*row, f"{line.quantity}.0000", f"{line.price:.4f}"))
        child = (number + 10_000, line.order, number, at, f"sku-{line.item}", TITLES[line.item])
        items.append((*child, f"{line.quantity}.0000", "0.0000"))
        orders[line.order] = (line.order, "complete", line.customer + 1, at, f"1000{line.order}")
    return {
        "sales_order_item.csv": table(
            "item_id,order_id,parent_item_id,created_at,sku,name,qty_ordered,price", items
        ),
        "sales_order.csv": table(
            "entity_id,status,customer_id,created_at,increment_id", list(orders.values())
        ),
    }


def ga4() -> dict[str, str]:
    hits = []
    for line in lines():
        for name in ("view_item", "purchase"):
            hit = {
                "event_date": f"{line.time:%Y%m%d}",
                "event_timestamp": str(int(line.time.timestamp() * 1e6) + line.place),
                "event_name": name,
                "event_params": [
                    {"key": "ga_session_id", "value": {"int_value": str(line.order)}},
                ],
                "user_pseudo_id": f"{line.customer}.1",
                "user_id": f"crm-{line.customer}" if name == "purchase" else None,
                "items": [
                    {
                        "item_id": f"SKU{line.item}",
                        "item_name": TITLES[line.item],
                        "item_category": KINDS[line.item % 4],
                        "price": line.price,
                        "quantity": str(line.quantity),
                    }
                ],
            }
            if name == "purchase":
                hit["ecommerce"] = {"transaction_id": f"T{line.order}"}
            hits.append(json.dumps(hit))
    return {"events_20250105.json": "\n".join(hits) + "\n"}


def segment() -> dict[str, str]:
    calls = []
    for line in lines():
        product = {
            "product_id": f"p{line.item}",
            "name": TITLES[line.item],
            "price": line.price,
            "quantity": line.quantity,
        }
        call = {
            "anonymousId": f"anon-{line.customer}",
            "userId": f"u{line.customer}",
            "messageId": f"m-{line.order}-{line.place}",
            "type": "track",
            "event": "Order Completed",
            "timestamp": f"{line.time:%Y-%m-%dT%H:%M:%S.000Z}",
            "properties": {"order_id": f"O{line.order}", "products": [product]},
        }
        calls.append(json.dumps(call))
    return {"tracks.jsonl": "\n".join(calls) + "\n"}


def google_merchant() -> dict[str, str]:
    header = "id\ttitle\tdescription\tlink\timage link\tavailability\tprice\tbrand\tproduct type"
    feed = [
        (
            *(f"SKU-{n}", title, f'a 5" {title}', "https://s.example/", "https://s.example/i"),
            *("in stock", f"{5 + 2.5 * n:.2f} EUR", "Ours", f"Home > {KINDS[n % 4]}"),
        )
        for n, title in enumerate(TITLES)
    ]
    return {
        "orders_export_1.csv": shopify()["orders_export_1.csv"],
        "feed.tsv": table(header, feed, "\t"),
    }


def retailrocket() -> dict[str, str]:
    rows = []
    for line in lines():
        stamp = int(line.time.timestamp() * 1000) + line.place
        for kind in ("view", "addtocart", "transaction"):
            order = line.order if kind == "transaction" else ""
            rows.append((stamp, line.customer, kind, line.item, order))
    return {"events.csv": table("timestamp,visitorid,event,itemid,transactionid", rows)}


def instacart() -> dict[str, str]:
    rows = [(line.order, line.item + 1, line.place + 1, int(line.turn > 1)) for line in lines()]
    orders = {
        line.order: (
            *(line.order, line.customer + 1, "prior", line.turn, 1, "09"),
            "30.0" if line.turn > 1 else "",
        )
        for line in lines()
    }
    header = "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day"
    goods = [(n + 1, title, n % 4 + 1, 1) for n, title in enumerate(TITLES)]
    return {
        "instacart/order_products__prior.csv": table(
            "order_id,product_id,add_to_cart_order,reordered", rows
        ),
        "instacart/orders.csv": table(f"{header},days_since_prior_order", list(orders.values())),
        "instacart/products.csv": table("product_id,product_name,aisle_id,department_id", goods),
    }


def olist() -> dict[str, str]:
    rows, orders, customers = [], {}, {}
    for line in lines():
        rows.append((f"o{line.order}", line.place + 1, f"p{line.item}", "s1", line.price, 1.5))
        at = f"{line.time:%Y-%m-%d %H:%M:%S}"
        orders[line.order] = (f"o{line.order}", f"cu{line.order}", "delivered", at)
        customers[line.order] = (f"cu{line.order}", f"person{line.customer}")
    header = "order_id,order_item_id,product_id,seller_id,price,freight_value"
    return {
        "olist/olist_order_items_dataset.csv": table(header, rows),
        "olist/olist_orders_dataset.csv": table(
            "order_id,customer_id,order_status,order_purchase_timestamp", list(orders.values())
        ),
        "olist/olist_customers_dataset.csv": table(
            "customer_id,customer_unique_id", list(customers.values())
        ),
    }


def movielens() -> dict[str, str]:
    rows = [
        (
            line.customer + 1,
            line.item + 1,
            3.0 + 0.5 * (line.order % 5),
            int(line.time.timestamp()),
        )
        for line in lines()
    ]
    films = [(n + 1, f"{title} (1999)", "Action|Drama") for n, title in enumerate(TITLES)]
    return {
        "ml/ratings.csv": table("userId,movieId,rating,timestamp", rows),
        "ml/movies.csv": table("movieId,title,genres", films),
    }


def personalize() -> dict[str, str]:
    rows = [
        (f"u{line.customer}", f"i{line.item}", int(line.time.timestamp()), "Purchase")
        for line in lines()
    ]
    goods = [(f"i{n}", KINDS[n % 4], 5.0 + n) for n in range(ITEMS)]
    return {
        "interactions.csv": table("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE", rows),
        "items.csv": table("ITEM_ID,CATEGORY_L1,PRICE", goods),
    }


def hm() -> dict[str, str]:
    rows = [
        (f"{line.time:%Y-%m-%d}", f"{line.customer:064x}", f"010877501{line.item}", 0.05, 1)
        for line in lines()
    ]
    goods = [
        (f"010877501{n}", f"010877{n}", title, KINDS[n % 4], "Ladies", "Ladies", "Upper")
        for n, title in enumerate(TITLES)
    ]
    header = "article_id,product_code,prod_name,product_type_name,index_group_name,index_name"
    return {
        "transactions_train.csv": table(
            "t_dat,customer_id,article_id,price,sales_channel_id", rows
        ),
        "articles.csv": table(f"{header},product_group_name", goods),
    }


def online_retail() -> dict[str, str]:
    rows = [
        (
            *(f"53{line.order:04}", f"{22000 + line.item}", TITLES[line.item], line.quantity),
            *(f"{line.time:%Y-%m-%d %H:%M:%S}", line.price, f"{17000 + line.customer}.0", "UK"),
        )
        for line in lines()
    ]
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    return {"online_retail.csv": table(header, rows)}


def rees46() -> dict[str, str]:
    rows = [
        (
            *(f"{line.time:%Y-%m-%d %H:%M:%S} UTC", kind, 1000 + line.item, 2053013552326770905),
            *(f"home.{KINDS[line.item % 4].lower()}", "ours", line.price, 500 + line.customer),
            f"s-{line.order}",
        )
        for line in lines()
        for kind in ("view", "cart", "purchase")
    ]
    header = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id"
    return {"2025-Jan.csv": table(f"{header},user_session", rows)}


def square() -> dict[str, str]:
    rows = [
        (
            *(f"{line.time:%m/%d/%y}", f"{line.time:%H:%M:%S}", "Eastern", KINDS[line.item % 4]),
            *(TITLES[line.item], line.quantity, f"SKU-{line.item}"),
            *(f"${line.price * line.quantity:.2f}", f"T{line.order}", "Payment", "Main"),
            f"C{line.customer}",
        )
        for line in lines()
    ]
    header = "Date,Time,Time Zone,Category,Item,Qty,SKU,Net Sales,Transaction ID,Event Type"
    return {"items.csv": table(f"{header},Location,Customer ID", rows)}


EXPORTS: dict[str, Callable[[], dict[str, str]]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "magento": magento,
    "ga4": ga4,
    "segment": segment,
    "google-merchant": google_merchant,
    "retailrocket": retailrocket,
    "instacart": instacart,
    "olist": olist,
    "movielens": movielens,
    "personalize": personalize,
    "hm": hm,
    "online-retail": online_retail,
    "rees46": rees46,
    "square": square,
}
"""Profile -> its files, by their paths."""

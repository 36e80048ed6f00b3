"""Recognises columns under the names that retailers usually give them."""

from collections.abc import Iterable, Mapping

from recsys.data.event_names import bare

EVENT_NAMES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("eventid", "eventuuid", "eventkey"),
    "customer_id": (
        "customerid",
        "userid",
        "householdid",
        "householdkey",
        "memberid",
        "clientid",
        "shopperid",
        "buyerid",
        "accountid",
        "customernumber",
        "customerno",
        "customer",
        "user",
    ),
    "visitor_id": ("visitorid", "anonymousid", "cookieid", "deviceid", "fullvisitorid", "visitor"),
    "session_id": ("sessionid", "visitid", "session"),
    "basket_id": (
        "basketid",
        "orderid",
        "invoiceno",
        "invoiceid",
        "invoice",
        "transactionid",
        "ordernumber",
        "orderno",
        "receiptid",
        "ticketid",
    ),
    "item_id": (
        "itemid",
        "productid",
        "stockcode",
        "sku",
        "skuid",
        "articleid",
        "articleno",
        "asin",
        "productcode",
        "itemcode",
        "product",
        "item",
    ),
    "offer_id": ("offerid", "couponid", "couponupc", "promotionid", "voucherid"),
    "event_type": ("eventtype", "event", "eventname", "action", "behaviortype", "behaviour"),
    "event_time": (
        "eventtime",
        "timestamp",
        "transactiontimestamp",
        "eventtimestamp",
        "datetime",
        "invoicedate",
        "orderdate",
        "purchasedate",
        "transactiondate",
        "orderedat",
        "createdat",
        "eventdate",
        "time",
        "date",
        "ts",
    ),
    "quantity": ("quantity", "qty", "units", "amountunits"),
    "unit_price": ("unitprice", "price", "priceperunit", "itemprice"),
    "channel": ("channel", "saleschannel", "platform"),
    "attribution_token": ("attributiontoken",),
    "value": ("value", "rating", "stars"),
    "properties": ("properties",),
}
"""Our event column -> names it goes by, most telling first, lower case, letters and digits."""

ITEM_NAMES: Mapping[str, tuple[str, ...]] = {
    "item_id": EVENT_NAMES["item_id"] + ("id",),
    "group_id": ("groupid", "parentid", "itemgroupid", "modelid", "parentasin", "variantof"),
    "title": ("title", "productname", "itemname", "name", "description", "productdescription"),
    "category": ("category", "categorypath", "categories", "productcategory", "categoryid"),
    "brand": ("brand", "brandname", "manufacturer"),
    "price": ("price", "currentprice", "saleprice", "unitprice"),
    "list_price": ("listprice", "regularprice", "originalprice", "msrp", "rrp"),
    "cost": ("cost", "unitcost", "costprice"),
    "available": ("available", "instock", "availability", "isavailable"),
    "markets": ("markets",),
    "created_at": ("createdat", "created", "launchdate", "firstseen", "publishedat"),
    "tags": ("tags", "labels", "keywords"),
}
"""Our item column -> names it goes by, as in `EVENT_NAMES`."""

CUSTOMER_NAMES: Mapping[str, tuple[str, ...]] = {
    "customer_id": EVENT_NAMES["customer_id"] + ("id",)
}
"""Our customer column -> names it goes by, as in `EVENT_NAMES`."""


def guess_columns(columns: Iterable[str], names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Returns our column -> the file's column, for the ones whose name is obvious.

    Of several that match, the one with the most telling name; each is used once.
    """
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(bare(column), column)
    guessed: dict[str, str] = {}
    for ours, theirs in names.items():
        for name in theirs:
            if name in by_name:
                guessed[ours] = by_name.pop(name)
                break
    return guessed

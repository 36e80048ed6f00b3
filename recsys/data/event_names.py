"""The names that event types go by: one table for files, for the event log and for clients.

The names are those of Google Analytics 4, Google's Retail API, Segment's e-commerce
specification, Meta's pixel, Shopify, WooCommerce, Magento, Criteo, Recombee, Amazon Personalize
and the public data sets (RetailRocket, REES46, Taobao).
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from unicodedata import normalize

from recsys.types import EventType

_USUAL: Mapping[EventType, tuple[str, ...]] = {
    EventType.VIEW: (
        "page_view",
        "page_viewed",
        "pv",
        "viewed",
        "view_item",
        "item_view",
        "item_viewed",
        "view_product",
        "product_view",
        "Product Viewed",
        "view_content",
        "detail_view",
        "detail_page_view",
        "product_detail_view",
        "product_page_view",
        "catalog_product_view",
        "watch",
    ),
    EventType.CLICK: (
        "clicked",
        "select_item",
        "select_content",
        "item_click",
        "product_click",
        "Product Clicked",
        "click_item",
        "click_product",
    ),
    EventType.ADD_TO_CART: (
        "cart",
        "basket",
        "add_cart",
        "cart_add",
        "added_to_cart",
        "add_to_basket",
        "added_to_basket",
        "add_to_bag",
        "cart_addition",
        "Product Added",
        "Product Added to Cart",
        "add_product_to_cart",
        "checkout_cart_add_product",
        "checkout_cart_add_product_complete",
        "woocommerce_add_to_cart",
        "Wishlist Product Added to Cart",
    ),
    EventType.REMOVE_FROM_CART: (
        "cart_remove",
        "removed_from_cart",
        "remove_from_basket",
        "removed_from_basket",
        "remove_from_bag",
        "delete_from_cart",
        "Product Removed",
        "Product Removed from Cart",
        "checkout_cart_remove_item",
        "sales_quote_remove_item",
        "woocommerce_remove_cart_item",
    ),
    EventType.PURCHASE: (
        "transaction",
        "track_transaction",
        "buy",
        "bought",
        "sale",
        "sold",
        "order",
        "purchased",
        "purchase_complete",
        "purchase_completed",
        "Product Purchased",
        "Order Completed",
        "Order Placed",
        "place_order",
        "order_created",
        "orders/create",
        "orders/paid",
        "checkout_completed",
        "sales_order_place_after",
        "ecommerce_purchase",
    ),
    EventType.RETURN: (
        "refund",
        "refunded",
        "returned",
        "Order Refunded",
        "order_returned",
        "product_returned",
        "product_refunded",
        "refunds/create",
    ),
    EventType.WISHLIST: (
        "add_to_wishlist",
        "added_to_wishlist",
        "wishlist_add",
        "wishlist_add_product",
        "Product Added to Wishlist",
        "add_to_favorites",
        "add_to_favourites",
        "favorite",
        "favourite",
        "fav",
        "bookmark",
    ),
    EventType.RATING: ("rate", "rated", "review", "reviewed", "Product Rated", "Product Reviewed"),
    EventType.SEARCH: (
        "searched",
        "view_search_results",
        "search_submitted",
        "Products Searched",
        "product_search",
        "site_search",
    ),
    EventType.IMPRESSION: (
        "view_item_list",
        "item_impression",
        "product_impression",
        "product_impressions",
        "Product List Viewed",
    ),
    EventType.EMAIL_OPEN: ("email_opened", "opened_email"),
    EventType.EMAIL_CLICK: ("email_clicked", "Email Link Clicked", "clicked_email"),
    EventType.OFFER_SHOWN: ("view_promotion", "Promotion Viewed", "coupon_shown"),
    EventType.OFFER_REDEEMED: ("coupon_redeemed", "voucher_redeemed", "promotion_redeemed"),
    EventType.SURVEY: ("survey_answered", "survey_completed"),
}
"""Our type -> what others write for it, beyond its own name."""

_NOISE = re.compile(r"[\W_]+")


def bare(name: str) -> str:
    """Returns a name in lower case without anything but letters and digits, of any script."""
    return _NOISE.sub("", normalize("NFKC", name).casefold())


EVENT_TYPE_NAMES: Mapping[str, EventType] = {bare(kind): kind for kind in EventType} | {
    bare(name): kind for kind, names in _USUAL.items() for name in names
}
"""What event types go by, as `bare` writes it -> our type."""

PAGE_NAMES = frozenset({"pageview", "pageviewed"})
"""Bare names of views of any page: one without an item is not a view of an item."""
PAGE_VIEW = "page-view"
"""The type, which no model knows, that the log keeps for the view of a page without an item."""


def usual_event_type(name: str) -> EventType | None:
    """Returns our type for a name that is ours or usual elsewhere, None for another.

    Case, spaces and punctuation do not count: `Add to cart`, `add_to_cart` and `addToCart` are
    one name. A name with letters beyond ASCII is not shortened to one that it merely contains.
    """
    return EVENT_TYPE_NAMES.get(bare(name)) if name.isascii() else None


def kebab(name: str) -> str:
    """Returns a name in kebab-case, as types are kept that no model knows."""
    return "-".join(name.lower().replace("_", " ").split())


def canonical_event_type(name: str) -> str:
    """Returns our name of an event type; one that nobody knows keeps its own, in kebab-case."""
    usual = usual_event_type(name)
    return kebab(name) if usual is None else usual.value


def logged_event_type(name: str, *, has_item: bool) -> str:
    """Returns the type under which the event log keeps an event.

    A usual name becomes ours. The view of a page without an item is no view of an item: it is
    kept as `PAGE_VIEW`. A name that nobody knows is returned as it is.

    Args:
        name: as the caller wrote it.
        has_item: whether the event names an item.
    """
    usual = usual_event_type(name)
    if usual is None:
        return name
    return PAGE_VIEW if not has_item and bare(name) in PAGE_NAMES else usual.value


def closest_event_type(name: str) -> str | None:
    """Returns our type whose name, or usual name, is most like `name`; None: nothing is like it.

    For error messages only: a guess is never applied.
    """
    alike = get_close_matches(bare(name), EVENT_TYPE_NAMES, n=1, cutoff=0.75)
    return EVENT_TYPE_NAMES[alike[0]].value if alike else None

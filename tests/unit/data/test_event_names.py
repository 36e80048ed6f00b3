"""One table says what event types go by."""

import pytest

from recsys.data.event_names import (
    EVENT_TYPE_NAMES,
    PAGE_NAMES,
    PAGE_VIEW,
    bare,
    canonical_event_type,
    closest_event_type,
    logged_event_type,
    usual_event_type,
)
from recsys.types import EventType


def test_every_event_type_goes_by_its_own_name() -> None:
    assert {EVENT_TYPE_NAMES[bare(kind)] for kind in EventType} == set(EventType)
    assert all(name == bare(name) and name for name in EVENT_TYPE_NAMES)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "view",
            (
                "view_item Product-Viewed pageview page_view viewContent detail-page-view View "
                "catalog_product_view pv product_viewed viewItem Watch"
            ),
        ),
        ("click", "select_item product_clicked Click"),
        (
            "add-to-cart",
            (
                "add_to_cart addtocart AddToCart product_added product_added_to_cart cart "
                "added_to_cart checkout_cart_add_product_complete"
            ),
        ),
        ("remove-from-cart", "remove_from_cart product_removed removed_from_cart"),
        (
            "purchase",
            (
                "purchase transaction order_completed Purchase checkout_completed buy orders/paid "
                "sales_order_place_after trackTransaction purchase-complete"
            ),
        ),
        ("return", "refund order_refunded refunds/create"),
        ("wishlist", "add_to_wishlist product_added_to_wishlist AddToWishlist fav"),
        ("search", "search view_search_results products_searched search_submitted"),
        ("impression", "view_item_list product_list_viewed"),
        ("email-open", "email_opened"),
        ("email-click", "email_link_clicked"),
    ],
)
def test_names_that_are_usual_elsewhere_are_understood(kind: str, names: str) -> None:
    for name in names.split():
        spoken = name.replace("_", " ").title()
        assert usual_event_type(name) == usual_event_type(spoken) == EventType(kind), name


@pytest.mark.parametrize(
    "name", ["view_cart", "begin_checkout", "Product Removed From Wishlist", "Order Cancelled", ""]
)
def test_what_is_none_of_ours_is_not_guessed(name: str) -> None:
    assert usual_event_type(name) is None


def test_a_name_in_another_script_is_not_shortened_to_one_of_ours() -> None:
    assert usual_event_type("öview") is None
    assert canonical_event_type("Öview_Page") == "öview-page"


@pytest.mark.parametrize("name", ["page_view", "pageview", "Page Viewed"])
def test_the_view_of_a_page_without_an_item_is_no_view_of_an_item(name: str) -> None:
    assert bare(name) in PAGE_NAMES
    assert logged_event_type(name, has_item=True) == "view"
    assert logged_event_type(name, has_item=False) == PAGE_VIEW
    assert usual_event_type(PAGE_VIEW) is EventType.VIEW


def test_the_log_keeps_a_name_that_nobody_knows_as_it_is() -> None:
    assert logged_event_type("store_visit", has_item=True) == "store_visit"


def test_a_slip_has_a_closest_type() -> None:
    assert closest_event_type("ad_to_cart") == "add-to-cart"
    assert closest_event_type("purchse") == "purchase"
    assert closest_event_type("zebra") is None

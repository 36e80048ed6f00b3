"""A typed client of the recommendation service.

Example::

    from recsys.client import RecsysClient, ShopEvent

    with RecsysClient(["localhost:50051", "localhost:50052"]) as client:
        answer = client.recommend("for_you", customer_id="c-1", limit=20, item_fields=["title"])
        for item in answer.items:
            print(item.rank, item.item_id, item.details["title"], item.reason.code)
        client.write_events([ShopEvent(event_type="view", customer_id="c-1", item_id="tea-1")])

`AsyncRecsysClient` has the same methods for asyncio.
"""

from recsys.client.asynchronous import AsyncRecsysClient
from recsys.client.catalogue import CatalogueItem
from recsys.client.customers import (
    CustomerRecord,
    ErasureFindings,
    ErasureReceipt,
    HoldingBundle,
)
from recsys.client.errors import (
    ArgumentError,
    CallError,
    DeadlineExceededError,
    OverloadedError,
    RejectedError,
    ServerError,
    UnavailableError,
)
from recsys.client.events import IdentifiedVisitor, ShopEvent, WrittenEvents
from recsys.client.offer_requests import ContactUpdate
from recsys.client.offer_results import (
    CustomerContact,
    NextOffer,
    OfferChoice,
    OfferState,
    RecordedContacts,
    UpsertedOffers,
)
from recsys.client.page_requests import PageSlot
from recsys.client.page_results import (
    Placement,
    RankedItems,
    RecommendedCustomers,
    RecommendedLabels,
)
from recsys.client.plans import Plan, PlannedOffer, ResolvedOffer
from recsys.client.results import CustomerRecommendations, Recommendations, RecommendedItem
from recsys.client.rule_values import Tuning
from recsys.client.synchronous import RecsysClient
from recsys.offers.offer import Offer, OfferCost, OfferKind, OfferScope
from recsys.pipeline.query import Reason, RecentEvent
from recsys.store.consent import Consent
from recsys.store.contacts import ContactState

__all__ = [
    "ArgumentError",
    "AsyncRecsysClient",
    "CallError",
    "CatalogueItem",
    "Consent",
    "ContactState",
    "ContactUpdate",
    "CustomerContact",
    "CustomerRecommendations",
    "CustomerRecord",
    "DeadlineExceededError",
    "ErasureFindings",
    "ErasureReceipt",
    "HoldingBundle",
    "IdentifiedVisitor",
    "NextOffer",
    "Offer",
    "OfferChoice",
    "OfferCost",
    "OfferKind",
    "OfferScope",
    "OfferState",
    "OverloadedError",
    "PageSlot",
    "Placement",
    "Plan",
    "PlannedOffer",
    "RankedItems",
    "Reason",
    "RecentEvent",
    "Recommendations",
    "RecommendedCustomers",
    "RecommendedItem",
    "RecommendedLabels",
    "RecordedContacts",
    "RecsysClient",
    "RejectedError",
    "ResolvedOffer",
    "ServerError",
    "ShopEvent",
    "Tuning",
    "UnavailableError",
    "UpsertedOffers",
    "WrittenEvents",
]

"""The methods of CatalogService: check, look or change, answer."""

import base64
import json
from hashlib import blake2b
from typing import Any

import grpc
import polars as pl
from structlog.contextvars import bind_contextvars

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidQueryError, StoreNotConfiguredError, UnknownItemError
from recsys.live.filters import compile_filter
from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from recsys.types import ItemId
from recsys.v1 import catalog_service_pb2 as pb
from recsys.v1.catalog_service_pb2_grpc import CatalogServiceServicer
from serving.messages.item_columns import MAX_ITEMS, to_columns
from serving.messages.items import to_item
from serving.messages.limits import check_count, checked_item_ids, checked_text
from serving.state.snapshot import Live

DEFAULT_PAGE = 100
MAX_PAGE = 1_000
MESSAGE_BYTES = 2 * 1024 * 1024
"""A page ends early rather than be more than half of what a client takes."""


class CatalogService(CatalogServiceServicer):
    """Changes and shows the catalogue; raises domain errors and never aborts a call itself."""

    def __init__(self, live: Live, store: Store | None) -> None:
        """Takes the snapshot's holder, and the store, if the server has one."""
        self._live = live
        self._store = store

    def UpsertItems(
        self,
        request: pb.UpsertItemsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.UpsertItemsResponse:
        """Creates or changes items."""
        store, recommender = self._configured(), self._recommender()
        schema = recommender.catalogue.frame.schema
        items, whole = to_columns(request.items, request.update_mask.paths, schema)
        bundled = _bundled(recommender, [item.item_id for item in items])
        done = store.upsert_items(items, replaces=whole, bundled=bundled)
        bind_contextvars(items=len(items))
        return pb.UpsertItemsResponse(created_count=done.created, updated_count=done.updated)

    def GetItem(
        self,
        request: pb.GetItemRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.GetItemResponse:
        """Returns one item as answers see it."""
        self._configured()
        recommender = self._recommender()
        catalogue = recommender.catalogue
        item_id = ItemId(checked_text(request.item_id, "item_id"))
        if not catalogue.has(item_id):
            raise UnknownItemError(f"there is no item {item_id!r}", item_id=item_id)
        [num] = catalogue.present([item_id]).tolist()
        [row] = catalogue.frame[num].to_dicts()
        trained = bool((recommender.resolver.states.rows.item_nums == num).any())
        return pb.GetItemResponse(item=to_item(row), trained=trained)

    def ListItems(
        self,
        request: pb.ListItemsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.ListItemsResponse:
        """Returns a page of items as answers see them."""
        self._configured()
        size = _page_size(request.page_size)
        after = _read_token(request.page_token, request.filter)
        rows = _page(self._recommender().catalogue, request.filter, after, size + 1)
        items: list[pb.Item] = []
        left = MESSAGE_BYTES
        for row in rows[:size]:
            item = to_item(row)
            left -= item.ByteSize()
            if items and left < 0:
                break
            items.append(item)
        bind_contextvars(items=len(items))
        token = ""
        if len(rows) > len(items):
            token = _token(items[-1].item_id, request.filter)
        return pb.ListItemsResponse(items=items, next_page_token=token)

    def RemoveItems(
        self,
        request: pb.RemoveItemsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.RemoveItemsResponse:
        """Removes items."""
        store = self._configured()
        if not request.item_ids:
            raise InvalidQueryError("item_ids", "must have at least one element")
        check_count(request.item_ids, "item_ids", MAX_ITEMS)
        ids = checked_item_ids(request.item_ids, "item_ids")
        done = store.remove_items(ids, bundled=_bundled(self._recommender(), ids))
        bind_contextvars(items=done.removed)
        return pb.RemoveItemsResponse(removed_count=done.removed, missing_count=done.missing)

    def _configured(self) -> Store:
        if self._store is None:
            raise StoreNotConfiguredError("this server runs without a store: set `store`")
        return self._store

    def _recommender(self) -> Recommender:
        return self._live.snapshot().recommender


def _bundled(recommender: Recommender, item_ids: list[str] | tuple[ItemId, ...]) -> list[str]:
    """Returns the items that the bundle has, whatever callers did to them since."""
    new, items = recommender.new_items, recommender.catalogue.items
    count = len(items) if new is None else new.first
    nums = items.numbers([ItemId(item_id) for item_id in item_ids]).tolist()
    return [item_id for item_id, num in zip(item_ids, nums, strict=True) if 0 <= num < count]


def _page(catalogue: Catalogue, filter_text: str, after: str, count: int) -> list[dict[str, Any]]:
    """Returns the first rows after an id, in the order of ids."""
    frame = catalogue.frame
    wanted = pl.col("item_id") > after
    if filter_text.strip():
        schema = {name: dtype for name, dtype in frame.schema.items() if name != "markets"}
        wanted &= compile_filter(filter_text, schema).fill_null(value=False)
    if catalogue.removed:
        gone = [catalogue.items.id(num) for num in catalogue.removed]
        wanted &= ~pl.col("item_id").is_in(gone)
    found = frame.lazy().filter(wanted).sort("item_id").head(count)
    return found.collect().to_dicts()


def _page_size(page_size: int) -> int:
    if page_size < 0:
        raise InvalidQueryError("page_size", f"must not be negative, is {page_size}")
    return min(page_size, MAX_PAGE) if page_size else DEFAULT_PAGE


def _token(last_id: str, filter_text: str) -> str:
    text = json.dumps([last_id, _digest(filter_text)], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_token(token: str, filter_text: str) -> str:
    """Returns the last id of the page before, empty for the first page.

    Raises:
        InvalidQueryError: no answer gave this token, or one to another filter.
    """
    if not token:
        return ""
    try:
        last_id, digest = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        last_id, digest = None, None
    if not isinstance(last_id, str):
        raise InvalidQueryError("page_token", "is not one that an answer gave")
    if digest != _digest(filter_text):
        raise InvalidQueryError("page_token", "was given for another filter")
    return last_id


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()

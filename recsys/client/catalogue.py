"""Changing and reading the catalogue, as calls of both clients."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

import grpc
from google.protobuf.json_format import MessageToDict

from recsys.client.catalogue_requests import ATTRIBUTES, CREATE_TIME, CREATED_AT, upsert_request
from recsys.client.checks import count, name_text, text, texts
from recsys.client.errors import from_rpc_error
from recsys.store.catalogue import Removed, Upserted
from recsys.v1 import catalog_service_pb2 as pb
from recsys.v1.catalog_service_pb2_grpc import CatalogServiceStub


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item as answers see it."""

    columns: Mapping[str, object]
    """By column name, as filters use it; one without a value is left out. `created_at` is a
    datetime, an attribute that is a time is RFC 3339 text."""
    trained: bool
    """Whether the bundle has learned from the item's history."""


class CatalogueCalls:
    """Calls of `RecsysClient`.

    Every call may raise `StoreNotConfiguredError`, `StoreUnavailableError` and `CallError`.
    """

    _channel: grpc.Channel
    _timeout_s: float

    def upsert_items(
        self, items: Sequence[Mapping[str, object]], *, columns: Sequence[str] = ()
    ) -> Upserted:
        """Creates or changes up to 1,000 items, all of them or none.

        Args:
            items: columns by name, `item_id` among them: those of the contract, `created_at` as a
                datetime with a time zone, and any attribute.
            columns: to change; the others stay. Empty: all, and what is not given becomes empty.

        Raises:
            InvalidItemError: fields are wrong; `violations` says which.
            UnknownItemError: an item of which only some columns are given is not there.
        """
        request = upsert_request(items, columns)
        try:
            stub = CatalogServiceStub(self._channel)
            return _upserted(stub.UpsertItems(request, timeout=self._timeout_s))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def item(self, item_id: str) -> CatalogueItem:
        """Returns one item.

        Raises:
            UnknownItemError: there is none of this id.
        """
        request = pb.GetItemRequest(item_id=name_text("item_id", item_id))
        try:
            stub = CatalogServiceStub(self._channel)
            found = stub.GetItem(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return CatalogueItem(_columns(found.item), found.trained)

    def items(
        self,
        filter: str = "",  # noqa: A002  the contract's name
        *,
        page_size: int = 1_000,
    ) -> Iterator[Mapping[str, object]]:
        """Yields the columns of all items that pass a filter, in the order of their ids.

        Raises:
            InvalidFilterError: the filter is wrong; `position` says where.
        """
        request = pb.ListItemsRequest(
            filter=text("filter", filter), page_size=count("page_size", page_size)
        )
        stub = CatalogServiceStub(self._channel)
        while True:
            try:
                page = stub.ListItems(request, timeout=self._timeout_s)
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            yield from map(_columns, page.items)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def remove_items(self, item_ids: Sequence[str]) -> Removed:
        """Removes up to 1,000 items."""
        request = pb.RemoveItemsRequest(item_ids=texts("item_ids", item_ids))
        try:
            stub = CatalogServiceStub(self._channel)
            return _removed(stub.RemoveItems(request, timeout=self._timeout_s))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None


class AsyncCatalogueCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors as in `CatalogueCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float

    async def upsert_items(
        self, items: Sequence[Mapping[str, object]], *, columns: Sequence[str] = ()
    ) -> Upserted:
        """Creates or changes up to 1,000 items, all of them or none."""
        request = upsert_request(items, columns)
        try:
            stub = CatalogServiceStub(self._channel)
            return _upserted(await stub.UpsertItems(request, timeout=self._timeout_s))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def item(self, item_id: str) -> CatalogueItem:
        """Returns one item."""
        request = pb.GetItemRequest(item_id=name_text("item_id", item_id))
        try:
            stub = CatalogServiceStub(self._channel)
            found = await stub.GetItem(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return CatalogueItem(_columns(found.item), found.trained)

    async def items(
        self,
        filter: str = "",  # noqa: A002  the contract's name
        *,
        page_size: int = 1_000,
    ) -> AsyncIterator[Mapping[str, object]]:
        """Yields the columns of all items that pass a filter, in the order of their ids."""
        request = pb.ListItemsRequest(
            filter=text("filter", filter), page_size=count("page_size", page_size)
        )
        stub = CatalogServiceStub(self._channel)
        while True:
            try:
                page = await stub.ListItems(request, timeout=self._timeout_s)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            for item in page.items:
                yield _columns(item)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def remove_items(self, item_ids: Sequence[str]) -> Removed:
        """Removes up to 1,000 items."""
        request = pb.RemoveItemsRequest(item_ids=texts("item_ids", item_ids))
        try:
            stub = CatalogServiceStub(self._channel)
            return _removed(await stub.RemoveItems(request, timeout=self._timeout_s))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


def _columns(item: pb.Item) -> Mapping[str, object]:
    columns: dict[str, object] = MessageToDict(item, preserving_proto_field_name=True)
    further = columns.pop(ATTRIBUTES, {})
    if columns.pop(CREATE_TIME, None) is not None:
        columns[CREATED_AT] = item.create_time.ToDatetime(UTC)
    return {**columns, **(further if isinstance(further, dict) else {})}


def _upserted(response: pb.UpsertItemsResponse) -> Upserted:
    return Upserted(response.created_count, response.updated_count)


def _removed(response: pb.RemoveItemsResponse) -> Removed:
    return Removed(response.removed_count, response.missing_count)

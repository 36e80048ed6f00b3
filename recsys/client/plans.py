"""Plans, as calls of both clients."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc

from recsys.client.checks import count, name_text
from recsys.client.errors import from_rpc_error
from recsys.client.offer_results import OfferChoice, to_choice
from recsys.client.times import to_timestamp
from recsys.types import CustomerId
from recsys.v1 import offer_service_pb2 as pb
from recsys.v1.offer_service_pb2_grpc import OfferServiceStub

_OUTCOMES: Mapping[int, str] = {
    pb.RESOLVE_OUTCOME_KEPT: "kept",
    pb.RESOLVE_OUTCOME_SUBSTITUTED: "substituted",
    pb.RESOLVE_OUTCOME_NOTHING: "nothing",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A finished plan."""

    plan_id: str
    create_time: datetime
    rows: int
    expected_value: float
    """Of all rows, in the shop's currency."""
    gap: float
    """How far it can be from the best plan at most, as a part of the bound."""


@dataclass(frozen=True, slots=True)
class PlannedOffer:
    """What a plan has for one customer."""

    row: int
    """Counted from 1; `stream_plan` goes on after any row."""
    customer_id: CustomerId
    offer_id: str
    """Empty: the customer is held out."""
    channel: str
    hold_out: bool
    expected_value: float
    probability: float
    expected_cost: float
    attribution_token: str


@dataclass(frozen=True, slots=True)
class ResolvedOffer:
    """The offer that a customer gets at the moment of opening."""

    outcome: str
    """`kept`, `substituted` or `nothing`."""
    choice: OfferChoice | None
    change_reason: str
    """Why the planned offer was not kept; empty: it was, or nothing was planned."""
    contact_id: str
    attribution_token: str


class PlanCalls:
    """Calls of `RecsysClient`.

    Every call may raise `StoreNotConfiguredError`, `StoreUnavailableError` and `CallError`.
    """

    _channel: grpc.Channel
    _timeout_s: float
    _batch_timeout_s: float

    def plans(self) -> list[Plan]:
        """Returns the finished plans, the latest first."""
        try:
            stub = OfferServiceStub(self._channel)
            found = stub.ListPlans(pb.ListPlansRequest(), timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return list(map(_plan, found.plans))

    def stream_plan(self, plan_id: str, *, after_row: int = 0) -> Iterator[PlannedOffer]:
        """Yields the rows of a plan in order.

        Args:
            plan_id: of the plan.
            after_row: the last row that is known, to go on after a stream that broke.

        Raises:
            UnknownPlanError: there is no such plan.
        """
        request = pb.StreamPlanRequest(
            plan_id=name_text("plan_id", plan_id), after_row=count("after_row", after_row)
        )
        responses = OfferServiceStub(self._channel).StreamPlan(
            request, timeout=self._batch_timeout_s
        )
        try:
            for response in responses:
                yield from map(_row, response.rows)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            responses.cancel()

    def resolve_offer(
        self, plan_id: str, customer_id: str, channel: str, *, query_time: datetime | None = None
    ) -> ResolvedOffer:
        """Returns the planned offer, or what stands in its place where it is gone.

        Args:
            plan_id: of the plan.
            customer_id: who opens.
            channel: by which they open it.
            query_time: the moment, with a time zone; None: now.

        Raises:
            UnknownPlanError: there is no such plan.
            InvalidQueryError: an argument is out of range; `field` says which.
        """
        request = _resolve_request(plan_id, customer_id, channel, query_time)
        try:
            stub = OfferServiceStub(self._channel)
            answer = stub.ResolveOffer(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return _resolved(answer)


class AsyncPlanCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `PlanCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float
    _batch_timeout_s: float

    async def plans(self) -> list[Plan]:
        """Returns the finished plans, the latest first."""
        try:
            stub = OfferServiceStub(self._channel)
            found = await stub.ListPlans(pb.ListPlansRequest(), timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return list(map(_plan, found.plans))

    async def stream_plan(
        self, plan_id: str, *, after_row: int = 0
    ) -> AsyncIterator[PlannedOffer]:
        """Yields the rows of a plan in order."""
        request = pb.StreamPlanRequest(
            plan_id=name_text("plan_id", plan_id), after_row=count("after_row", after_row)
        )
        responses = OfferServiceStub(self._channel).StreamPlan(
            request, timeout=self._batch_timeout_s
        )
        try:
            async for response in responses:
                for row in response.rows:
                    yield _row(row)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            responses.cancel()

    async def resolve_offer(
        self, plan_id: str, customer_id: str, channel: str, *, query_time: datetime | None = None
    ) -> ResolvedOffer:
        """Returns the planned offer, or what stands in its place where it is gone."""
        request = _resolve_request(plan_id, customer_id, channel, query_time)
        try:
            stub = OfferServiceStub(self._channel)
            answer = await stub.ResolveOffer(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return _resolved(answer)


def _resolve_request(
    plan_id: str, customer_id: str, channel: str, query_time: datetime | None
) -> pb.ResolveOfferRequest:
    request = pb.ResolveOfferRequest(
        plan_id=name_text("plan_id", plan_id),
        customer_id=name_text("customer_id", customer_id),
        channel=name_text("channel", channel),
    )
    if query_time is not None:
        request.query_time.CopyFrom(to_timestamp(query_time, "query_time"))
    return request


def _plan(message: pb.Plan) -> Plan:
    return Plan(
        message.plan_id,
        message.create_time.ToDatetime(UTC),
        message.row_count,
        message.expected_value,
        message.gap,
    )


def _row(message: pb.PlanRow) -> PlannedOffer:
    return PlannedOffer(
        message.row,
        CustomerId(message.customer_id),
        message.offer_id,
        message.channel,
        message.hold_out,
        message.expected_value,
        message.probability,
        message.expected_cost,
        message.attribution_token,
    )


def _resolved(message: pb.ResolveOfferResponse) -> ResolvedOffer:
    return ResolvedOffer(
        _OUTCOMES[message.outcome],
        to_choice(message.choice) if message.HasField("choice") else None,
        message.change_reason,
        message.contact_id,
        message.attribution_token,
    )

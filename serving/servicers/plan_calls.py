"""The calls about plans: list them, stream their rows, resolve a customer's offer when opened."""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.errors import UnknownPlanError
from recsys.offers.offer import MICROS, from_micros
from recsys.offers.values import ScopedOffer
from recsys.store.choosing import Choosing
from recsys.store.contacts import Contact
from recsys.store.plans import PlanNote, PlanRow, Plans, Resolution, Resolved
from recsys.v1 import offer_service_pb2 as pb
from serving.answering.attribution import Attribution
from serving.answering.offering import Judged, Offering, OfferQuery
from serving.answering.plan_tokens import plan_token
from serving.messages.limits import checked_customer_id, checked_text, unix_seconds
from serving.messages.offer_requests import MAX_CHANNEL_BYTES
from serving.messages.offer_responses import Figures, to_choices

ROWS_AT_ONCE = 1_000
TRIES = 5
"""Times to look again at a contact that others resolve at the same moment."""
_OUTCOMES = {
    Resolution.KEPT: pb.RESOLVE_OUTCOME_KEPT,
    Resolution.SUBSTITUTED: pb.RESOLVE_OUTCOME_SUBSTITUTED,
    Resolution.NOTHING: pb.RESOLVE_OUTCOME_NOTHING,
}


def listed(plans: Plans) -> pb.ListPlansResponse:
    """Returns the finished plans, the latest first."""
    return pb.ListPlansResponse(plans=map(_to_plan, plans.all()))


def streamed(
    plans: Plans, attribution: Attribution, request: pb.StreamPlanRequest
) -> Iterator[pb.StreamPlanResponse]:
    """Yields the rows of a plan after a row, in order.

    Raises:
        InvalidQueryError: a field is out of its range.
        UnknownPlanError: there is no such finished plan.
    """
    note = _found(plans, request.plan_id)
    after = max(request.after_row, 0)
    while rows := plans.rows(note.plan_id, after, ROWS_AT_ONCE):
        yield pb.StreamPlanResponse(rows=[_to_row(row, note, attribution) for row in rows])
        after = rows[-1].row


def resolved(
    plans: Plans, offering: Offering, attribution: Attribution, request: pb.ResolveOfferRequest
) -> pb.ResolveOfferResponse:
    """Returns which offer a customer gets now in the place of a planned one.

    Raises:
        InvalidQueryError: a field is out of its range.
        UnknownPlanError: there is no such finished plan.
    """
    note = _found(plans, request.plan_id)
    query = _query(request, int(offering.now))
    planned = plans.planned(note.plan_id, query.customer_id, query.channel)
    if planned is None:
        return pb.ResolveOfferResponse(outcome=pb.RESOLVE_OUTCOME_NOTHING)
    judged = offering.judged(query)
    answer = Resolved(Resolution.AGAIN, "", None)
    for _ in range(TRIES):
        current = plans.current(planned)
        fault = _fault(current, judged, offering, query)
        answer = plans.resolve(planned, current, fault, _others(judged, offering, query, note))
        if answer.resolution is not Resolution.AGAIN:
            break
        planned = plans.planned(note.plan_id, query.customer_id, query.channel) or planned
    return _to_response(answer, judged, offering, note, attribution)


def _found(plans: Plans, plan_id: str) -> PlanNote:
    note = plans.find(checked_text(plan_id, "plan_id"))
    if note is None:
        raise UnknownPlanError("there is no such plan, or it is not finished")
    return note


def _query(request: pb.ResolveOfferRequest, now: int) -> OfferQuery:
    given = request.HasField("query_time")
    return OfferQuery(
        customer_id=checked_customer_id(request.customer_id, "customer_id"),
        channel=checked_text(request.channel, "channel", max_bytes=MAX_CHANNEL_BYTES),
        query_time=unix_seconds(request.query_time, "query_time") if given else now,
    )


def _fault(contact: Contact, judged: Judged, offering: Offering, query: OfferQuery) -> str:
    """Returns why an offer may not be given now, empty if nothing is known against it."""
    book = None if offering.desk is None else offering.desk.book
    places = (
        {}
        if book is None
        else {each.offer.offer_id: place for place, each in enumerate(book.offers)}
    )
    if book is None or contact.offer_id not in places or judged.known.consent_refused:
        return ""  # the store knows more: whether it was removed, or consent taken back
    place = places[contact.offer_id]
    scoped = book.offers[place]
    if not scoped.offer.is_valid_at(query.query_time):
        return "expired"
    if not _has_items(scoped, offering):
        return "items-unavailable"
    held = book.conditions.hold(offering.audience(judged.known))[0, place]
    return "" if held and query.channel in scoped.offer.channels else "not-eligible"


def _has_items(scoped: ScopedOffer, offering: Offering) -> bool:
    if scoped.item_nums is None:
        return True
    available = offering.recommender.resolver.eligibility.mask("", None)
    return bool(available[scoped.item_nums].any())


def _others(judged: Judged, offering: Offering, query: OfferQuery, note: PlanNote) -> Choosing:
    """Returns what may stand in the place of an offer, best first."""
    choosing = offering.choosing(
        judged, query, contact_id="", time=query.query_time * MICROS, alternates=0
    )
    # Who is held out of one offer may have the next: there is a contact to be filled.
    left = [each for each in choosing.candidates if not each.held_out]
    return choosing._replace(candidates=left, plan_id=note.plan_id, hold_out_share=0.0)


def _to_plan(note: PlanNote) -> pb.Plan:
    create_time = Timestamp()
    create_time.FromMicroseconds(note.create_time)
    return pb.Plan(
        plan_id=note.plan_id,
        create_time=create_time,
        row_count=note.row_count,
        expected_value=note.expected_value,
        gap=note.gap,
    )


def _to_row(row: PlanRow, note: PlanNote, attribution: Attribution) -> pb.PlanRow:
    contact = row.contact
    return pb.PlanRow(
        row=row.row,
        customer_id=contact.customer_id,
        offer_id="" if contact.held_out else contact.offer_id,
        channel=contact.channel,
        hold_out=contact.held_out,
        expected_value=contact.value,
        probability=contact.probability,
        expected_cost=from_micros(_cost(contact)),
        attribution_token=plan_token(contact, note, attribution),
    )


def _to_response(
    answer: Resolved,
    judged: Judged,
    offering: Offering,
    note: PlanNote,
    attribution: Attribution,
) -> pb.ResolveOfferResponse:
    response = pb.ResolveOfferResponse(
        outcome=_OUTCOMES.get(answer.resolution, pb.RESOLVE_OUTCOME_NOTHING),
        change_reason=answer.change_reason,
    )
    contact = answer.contact
    if contact is not None:
        cost = from_micros(_cost(contact))
        figures = Figures(contact.offer_id, contact.value, contact.probability, cost)
        response.choice.CopyFrom(to_choices([figures], judged, offering)[0])
        response.contact_id = contact.contact_id
        response.attribution_token = plan_token(contact, note, attribution)
    return response


def _cost(contact: Contact) -> int:
    return int(contact.contact_cost + contact.probability * contact.redemption_cost)

"""Hands a draft to the store: what the plan needs is reserved, and nobody else can have it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from recsys.data.plain_numbers import MONEY_DECIMALS, widened
from recsys.data.progress import Progress
from recsys.offers.offer import MICROS, to_micros
from recsys.offers.plan_tiers import TieredPlan
from recsys.store.contacts import Contact
from recsys.store.plans import PlanNote, Plans
from recsys.store.tables.plans import contact_id
from training.plan_inputs import Inputs, PlanOptions

AT_ONCE = 1_000
"""Contacts in one write: between two of them live calls get their turn."""


def draft_rows(
    plan_id: str, plan: TieredPlan, inputs: Inputs, options: PlanOptions
) -> pl.DataFrame:
    """Returns the rows of a plan, one for each contact."""
    problem = inputs.problem
    offer_ids = pl.Series([each.offer.offer_id for each in inputs.offers], dtype=pl.String)
    names = pl.Series(inputs.customers, dtype=pl.String)
    cost = problem.costs(plan.customer, plan.offer).astype(np.int64)
    bases = pl.Series(inputs.basis, dtype=pl.String)
    count = len(plan.customer)
    return pl.DataFrame(
        {
            "row": np.arange(1, count + 1),
            "customer_id": names.gather(plan.customer),
            "channel": pl.Series(options.channels, dtype=pl.String).gather(plan.channel),
            "offer_id": offer_ids.gather(plan.offer),
            "hold_out": plan.held_out,
            "expected_value": widened(problem.value[plan.customer, plan.offer]).round(
                MONEY_DECIMALS
            ),
            "probability": widened(problem.probability[plan.customer, plan.offer]),
            "expected_cost": cost / MICROS,
            "cost_micros": cost,
            "basis": bases.gather(plan.offer),
            "contact_id": pl.Series(
                [contact_id(plan_id, row) for row in range(1, count + 1)], dtype=pl.String
            ),
        }
    )


def offer_costs(inputs: Inputs) -> dict[str, list[int]]:
    """Returns what a contact and a redemption of each offer cost, in millionths."""
    return {
        each.offer.offer_id: [
            to_micros(each.offer.cost.per_contact),
            to_micros(each.offer.cost.per_redemption),
        ]
        for each in inputs.offers
    }


def register(
    plans: Plans, rows: pl.DataFrame, facts: Mapping[str, Any], progress: Progress
) -> list[str]:
    """Reserves all rows of a draft and makes the plan known; may be repeated.

    Returns:
        Contact ids that the store could not have any more: live calls were quicker, or the
        customer refused, was erased or contacted meanwhile.
    """
    details = {key: value for key, value in facts.items() if key not in {"costs", "purposes"}}
    plans.begin(
        PlanNote(
            plan_id=facts["plan_id"],
            create_time=facts["create_time"],
            contact_time=facts["contact_time"],
            row_count=0,
            expected_value=0.0,
            gap=facts["gap"],
            finished=False,
            details=json.dumps(details),
        )
    )
    refused: list[str] = []
    for start, contacts in _batches(rows, facts):
        refused += plans.add(contacts, seen=facts["seen"], purposes=facts["purposes"])
        progress("reserve", start + len(contacts), len(rows))
    kept = rows.filter(~pl.col("contact_id").is_in(refused))
    value = float(kept.filter(~pl.col("hold_out"))["expected_value"].sum())
    bound = facts["bound"]
    gap = max(0.0, 1 - value / bound) if bound > 0 else 0.0
    plans.finish(facts["plan_id"], row_count=len(kept), expected_value=value, gap=gap)
    return refused


def _batches(
    rows: pl.DataFrame, facts: Mapping[str, Any]
) -> Iterator[tuple[int, Sequence[Contact]]]:
    for start in range(0, len(rows), AT_ONCE):
        part = rows.slice(start, AT_ONCE)
        yield start, [_contact(row, facts) for row in part.iter_rows(named=True)]


def _contact(row: Mapping[str, Any], facts: Mapping[str, Any]) -> Contact:
    per_contact, per_redemption = facts["costs"][row["offer_id"]]
    return Contact(
        contact_id=row["contact_id"],
        customer_id=row["customer_id"],
        offer_id=row["offer_id"],
        channel=row["channel"],
        choose_time=facts["contact_time"],
        plan_id=facts["plan_id"],
        held_out=row["hold_out"],
        hold_out_share=facts["hold_out_share"],
        probability=row["probability"],
        value=row["expected_value"],
        basis=row["basis"],
        values_version=facts["values_version"],
        cost=0 if row["hold_out"] else row["cost_micros"],
        contact_cost=per_contact,
        redemption_cost=per_redemption,
    )

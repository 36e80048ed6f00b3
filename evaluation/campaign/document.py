"""A campaign's result for programs."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from evaluation.campaign import texts
from recsys.online.campaign import CampaignResult


def document(found: CampaignResult) -> dict[str, Any]:
    """Returns the result as JSON can carry it: times as text, UTC, and durations in seconds."""
    told = asdict(found)
    for name in ("window", "registered_window"):
        told[f"{name}_s"] = _seconds(told.pop(name))
    for name in ("now", "ready_time"):
        told[name] = datetime.fromtimestamp(told[name] / 1_000_000, UTC).isoformat()
    told["deliveries"]["median_delay_s"] = _seconds(told["deliveries"].pop("median_delay"))
    ratio = found.sample_ratio
    told["sample_ratio"] = {
        "customers": dict(ratio.customers),
        "expected": dict(ratio.expected),
        "chi_square": ratio.chi_square,
        "p_value": ratio.p_value,
        "mismatch": ratio.mismatch,
    }
    told["effects"] = [asdict(each) | {"verdict": each.verdict.value} for each in found.effects]
    return told | {
        "verdict": found.verdict.value,
        "statement": texts.verdict(found),
        "caveats": list(texts.caveats(found)),
    }


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1_000_000

"""An online report for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from recsys.online.report import OnlineReport


def document(found: OnlineReport) -> dict[str, Any]:
    """Returns the report as JSON can carry it: times as text, UTC."""
    figures = []
    for each in found.figures:
        values = asdict(each)
        figures.append(each.group._asdict() | {k: v for k, v in values.items() if k != "group"})
    return {
        "from": _time(found.since),
        "to": _time(found.until),
        "window_s": found.window / 1_000_000,
        "figures": figures,
        "days": [asdict(day, dict_factory=_with_dates) for day in found.days],
        "comparisons": [asdict(each) | {"change": each.change} for each in found.comparisons],
        "sample_ratios": [
            asdict(each) | {"mismatch": each.mismatch} for each in found.sample_ratios
        ],
        "events": asdict(found.tally),
        "lost_impressions": found.lost,
        "open_impressions": found.open_impressions,
    }


def _time(time: int) -> str:
    return datetime.fromtimestamp(time / 1_000_000, UTC).isoformat()


def _with_dates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in pairs}

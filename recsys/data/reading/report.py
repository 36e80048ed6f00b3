"""What is in a data set and what was wrong with it: the report that every load ends with."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from recsys.data.reading.counts import TableCounts
from recsys.data.reading.looks.all import look_at
from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, Severity
from recsys.types import EVENT_CODES


@dataclass(frozen=True, slots=True)
class DataReport:
    """The report; times are ISO 8601 in UTC."""

    tables: Mapping[str, TableCounts]
    rejects: Mapping[str, Mapping[str, int]]
    """Table -> `field: reason` -> rows, most first."""
    customers: int
    """Distinct customers with events, visitors apart."""
    visitors: int
    items: int
    """Distinct items with events."""
    first_time: str | None
    last_time: str | None
    events_by_type: Mapping[str, int]
    events_by_month: Mapping[str, Mapping[str, int]]
    """Month -> event type -> events."""
    unknown_event_types: Mapping[str, int]
    """Stored, but used by no model."""
    one_event_share: float
    """Share of customers and visitors with a single event."""
    clock: Mapping[str, int]
    """Counts of `Clock`."""
    looks: tuple[Look, ...]
    """What a person should look at, warnings first."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Events of `TableCounts.left_out`, by reason."""
    log: Mapping[str, str | int] | None = None
    """How far the log of a store was read, as `LogPosition`; None: only files were."""

    @property
    def warnings(self) -> tuple[Look, ...]:
        """Returns the looks at what is probably wrong."""
        return tuple(look for look in self.looks if look.severity is Severity.WARNING)


def summarise(evidence: Evidence) -> DataReport:
    """Puts the counts of a load together, and looks at what is wrong with it."""
    facts, clock = evidence.facts, evidence.clock
    by_type = {kind: counts.events for kind, counts in facts.by_kind.items()}
    first, last = facts.first_time, facts.last_time
    who = facts.customers
    return DataReport(
        tables=dict(evidence.tables),
        rejects={name: dict(c.most_common()) for name, c in evidence.rejects.by_reason.items()},
        customers=who.ids - who.visitors,
        visitors=who.visitors,
        items=facts.items.ids,
        first_time=None if first is None else first.isoformat(),
        last_time=None if last is None else last.isoformat(),
        events_by_type=by_type,
        events_by_month=facts.by_month,
        unknown_event_types={k: n for k, n in by_type.items() if k not in EVENT_CODES},
        one_event_share=who.single / max(1, who.ids),
        clock={
            name: getattr(clock, name)
            for name in ("zoned", "naive", "midnight", "future", "out_of_order")
        },
        looks=look_at(evidence),
    )


def write_report(report: DataReport, path: Path) -> None:
    """Writes the report as JSON."""
    path.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")

"""Watches the times of events as they pass, for what looks wrong with the retailer's clock."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from recsys.data.reading.event_rows import ZONED


@dataclass(slots=True)
class Clock:
    """Counts, over every accepted event."""

    zone: str
    """Midnight is looked for in this zone."""
    now: datetime
    zoned: int = 0
    """Times that named their zone."""
    naive: int = 0
    """Times that did not."""
    midnight: int = 0
    """Times without a time of day."""
    future: int = 0
    """Times after `now`, within the tolerance."""
    out_of_order: int = 0
    """Rows that are earlier than the row above them."""
    _last: datetime | None = field(default=None, repr=False)

    def start_file(self) -> None:
        """Forgets the last row: order is looked at within files."""
        self._last = None

    def look(self, events: pl.DataFrame) -> None:
        """Counts a batch, in the order of the file."""
        if events.is_empty():
            return
        time = pl.col("event_time")
        local = time.dt.convert_time_zone(self.zone)
        steps = time.diff() if self._last is None else time - time.shift(1, fill_value=self._last)
        counts = events.select(
            zoned=pl.col(ZONED).sum(),
            midnight=(local.dt.time() == pl.time(0, 0, 0)).sum(),
            future=(time > pl.lit(self.now)).sum(),
            out_of_order=(steps < pl.duration()).sum(),
        ).row(0, named=True)
        self.zoned += counts["zoned"]
        self.naive += len(events) - counts["zoned"]
        self.midnight += counts["midnight"]
        self.future += counts["future"]
        self.out_of_order += counts["out_of_order"]
        self._last = events["event_time"].item(-1)

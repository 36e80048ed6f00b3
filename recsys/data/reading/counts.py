"""What became of the rows of each table."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What became of the rows of one table: rows = kept + rejected + duplicates + left_out."""

    files: int = 0
    records: int = 0
    """Rows, or objects, of the files: one may hold several items, each a row of its own here."""
    rows: int = 0
    kept: int = 0
    rejected: int = 0
    duplicates: int = 0
    """Rows left out because an earlier row has their id."""
    repeats: int = 0
    """Events of `kept` without an id of their own that say exactly what an earlier one says."""
    filtered: int = 0
    """Rows of `rejected` that a rule of the mapping left out on purpose."""
    bare: int = 0
    """Items that only events name: added on top of `kept`."""
    fed: int = 0
    """Rows of `rows` that came from data sets and stores, where they were checked before."""
    left_out: int = 0
    """Events of customers who were erased, or refused that models are fitted on them."""

    def with_bare(self, bare: int) -> "TableCounts":
        """Returns the counts with the bare items set."""
        return replace(self, bare=bare)

    @property
    def reject_rate(self) -> float:
        """Share of rejected rows of the files, without those left out on purpose."""
        rows = self.rows - self.fed
        return (self.rejected - self.filtered) / rows if rows else 0.0

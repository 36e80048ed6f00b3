"""The one shape of every figure that is written to a file."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from recsys.config import StrictModel
from recsys.errors import DataError

DEFAULT_CONFIGURATION = "default"
WHOLE_POPULATION = "all"


class Row(StrictModel):
    """One figure and everything it needs to be understood on its own."""

    dataset: str
    """The data set's short name."""
    protocol: str
    """How data were split and truth was made, for example `temporal`."""
    variant: str = ""
    """What else defines the protocol, for example `cutoff=2017-12-04 min_item_events=5`."""
    configuration: str = DEFAULT_CONFIGURATION
    """What made the lists; ours is `default`. `a-minus-b` is the paired difference of two."""
    placement: str
    slice: str = WHOLE_POPULATION
    """The customers that count; `all` is the whole population."""
    metric: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    k: int | None = Field(default=None, ge=1)
    """Places of the list that count; null for a metric that has none."""
    value: float = Field(allow_inf_nan=False)
    low: float | None = Field(default=None, allow_inf_nan=False)
    """Lower bound of the 95 % interval; null where there is none."""
    high: float | None = Field(default=None, allow_inf_nan=False)
    p_holm: float | None = Field(default=None, ge=0, le=1)
    """Of a difference that was tested: p-value of the paired permutation test, corrected by Holm
    for the number of tests of its kind; null elsewhere."""
    customers: int | None = Field(default=None, ge=0)
    """Customers that the value is a mean over."""
    seconds: float | None = Field(default=None, ge=0)
    """Wall seconds of fitting the configuration (where it was) and making the lists."""
    peak_mb: float | None = Field(default=None, ge=0)
    """Highest resident memory of the process until then, in MiB."""
    source: str = "measured"
    """`measured` here, or where a quoted figure comes from."""


class Figures(StrictModel):
    """A file of figures."""

    rows: tuple[Row, ...]


def write_figures(path: Path, rows: Iterable[Row]) -> None:
    """Writes rows as JSON, one line per row, in one step: readers see the old file or the new."""
    lines = ",\n".join("    " + row.model_dump_json() for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(f'{{\n  "rows": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    part.replace(path)


def read_figures(path: Path) -> tuple[Row, ...]:
    """Reads a file of figures.

    Raises:
        DataError: the file is missing, or is not an object with `rows` of this type.
    """
    try:
        return Figures.model_validate_json(path.read_bytes()).rows
    except FileNotFoundError:
        message = f"{path}: there is no such file"
        raise DataError(message, file=str(path)) from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        message = f"{path}: {place}: {problem['msg']}"
        raise DataError(message, file=str(path)) from error

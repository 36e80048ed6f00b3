"""What an export is to do: fixed when it begins, and the same after every interruption."""

from hashlib import blake2b
from typing import Literal, get_args

from pydantic import Field

from recsys.config import StrictModel
from recsys.offers.attributes import AttributeKind
from serving.state.live_state import Purpose

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: tuple[str, ...] = get_args(Format)
LAYOUT = 2
"""Of the rows that this program writes; grows with every change of them."""
DEFAULT_FIELDS = ("title", "price")


class Wish(StrictModel):
    """What somebody asks of an export."""

    placement: str
    limit: int = Field(default=10, ge=1, le=500)
    """Items for each customer."""
    form: Format = "parquet"
    item_fields: tuple[str, ...] = DEFAULT_FIELDS
    """Catalogue columns of each item."""
    link: str = ""
    """Template of links to items, empty: none."""
    filter: str = ""
    filter_name: str = ""
    market: str = ""
    purpose: Purpose = "use_in_email"
    customers: str
    """Who is asked for: `all`, `segment LABEL`, or the SHA-256 of a file's ids."""
    part_size: int = Field(default=5_000, ge=1, le=1_000_000)
    """Customers in one file."""
    offers: str = ""
    """Channel for which each customer's next best offer is chosen; empty: none is."""
    plan: str = ""
    """Plan whose offers are joined; empty: none are."""
    held_out: Literal["apart", "listed"] = "apart"
    """Whether who is held out of an offer is kept out of the files, in files of their own, or
    gets a list without an offer."""
    logged: bool = True
    """Whether the store is told what each customer gets."""


class Job(StrictModel):
    """A wish, and the moment and the bundle that answer it."""

    wish: Wish
    export_id: str
    """32 hexadecimal digits, drawn when it began."""
    bundle_version: str
    query_time: int
    """Unix seconds: when it began. All lists are for this moment."""
    deployment: str
    """SHA-256 of the deployment file; empty: there is none."""
    store_id: str
    """Empty: there is no store."""
    erasures: int
    """How many erasures there were when it began."""
    count: int
    """Customers asked for."""
    repeated: int
    """Ids that stood in the file more than once, which counts once."""
    layout: int = 1
    """Of the rows, see `LAYOUT`: parts of two layouts are no export."""
    attributes: dict[str, AttributeKind] = Field(default_factory=dict)
    """Attributes of offers, each a column of its own."""

    @property
    def parts(self) -> int:
        """Returns how many files there will be."""
        return -(-self.count // self.wish.part_size)

    def request_id(self, customer_id: str) -> str:
        """Returns the number of a customer's answer: the same however often it is made."""
        text = f"{self.export_id}\0{customer_id}".encode()
        return blake2b(text, digest_size=16).hexdigest()

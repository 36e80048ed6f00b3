"""A campaign as numbers: what each offer is worth to each customer, and what is scarce."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.offers.offer import MICROS
from recsys.types import BoolArray, CodeArray, FloatArray

NOT_ALLOWED = -np.inf
"""Value of an offer that a customer must not get."""
BLOCK_ROWS = 16_384
"""Customers looked at together: their numbers stay in the processor's cache."""
MAX_CHANNELS = 8
BLUR_SEED = 7

Amounts = NDArray[np.float64]
Rows = slice | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlanProblem:
    """Which customers may get which offers, by which channels, and how much of each there is.

    A plan gives each customer some offers, each offer once at most and by one channel. It is
    feasible if no customer gets more by a channel than `room`, more in all than `most`, and if no
    offer goes to more than `stock` customers or costs more than `budget`, nor all of them together
    more than `total_budget`. A contact costs what it is expected to: `contact_cost`, and
    `redemption_cost` times the probability of a redemption.

    The two large arrays may be maps of files: they are read block by block and never changed.
    """

    value: FloatArray
    """Shape (customers, offers) float32: expected value with the cost taken off; `NOT_ALLOWED`."""
    probability: FloatArray
    """Shape (customers, offers) float32: of a redemption, 0 to 1."""
    room: CodeArray
    """Shape (customers, channels) uint8: contacts that a channel may still have."""
    most: CodeArray
    """Shape (customers,) uint8: contacts by all channels together."""
    channels: BoolArray
    """Shape (offers, channels): by which channels an offer may go."""
    contact_cost: Amounts
    """Shape (offers,), not negative."""
    redemption_cost: Amounts
    """Shape (offers,), not negative."""
    stock: Amounts
    """Shape (offers,): vouchers; infinite where any number may go."""
    budget: Amounts
    """Shape (offers,); infinite where none is set."""
    total_budget: float = np.inf
    blur: float = 0.0
    """Part of their value by which offers seem to be worth more than they are, at random.

    Customers who are alike to the digit all change their minds at one price, and no price gives
    to some of them only; where they differ by a hair, one does. Bounds are never taken so.
    """

    def __post_init__(self) -> None:
        """Refuses arrays that do not fit together.

        Raises:
            ValueError: they do not.
        """
        shapes = {
            "value": (self.value.shape, (self.customers, self.offers)),
            "probability": (self.probability.shape, (self.customers, self.offers)),
            "room": (self.room.shape, (self.customers, self.channels.shape[1])),
            "most": (self.most.shape, (self.customers,)),
            "contact_cost": (self.contact_cost.shape, (self.offers,)),
            "redemption_cost": (self.redemption_cost.shape, (self.offers,)),
            "stock": (self.stock.shape, (self.offers,)),
            "budget": (self.budget.shape, (self.offers,)),
        }
        for name, (found, wanted) in shapes.items():
            if found != wanted:
                message = f"{name} has shape {found}, not {wanted}"
                raise ValueError(message)
        if self.channels.shape[1] > MAX_CHANNELS:
            message = f"{self.channels.shape[1]} channels: at most {MAX_CHANNELS} in one plan"
            raise ValueError(message)

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.most)

    @property
    def offers(self) -> int:
        """Number of offers."""
        return len(self.channels)

    @cached_property
    def families(self) -> "Families":
        """Which channels the offers compete for."""
        return Families.of(self.channels)

    @cached_property
    def limits(self) -> CodeArray:
        """Shape (customers, families) uint8: offers of each family that a customer can get."""
        return self.families.limits(self.room, self.most)

    def costs(self, customer: NDArray[np.int64], offer: NDArray[np.int64]) -> Amounts:
        """Returns what contacts are expected to cost, in whole millionths, one per pair.

        Rounded up as the ledger does it: whole numbers add up exactly, in any order.
        """
        chance = self.probability[customer, offer].astype(np.float64)
        cost = self.contact_cost[offer] + self.redemption_cost[offer] * chance
        return np.ceil(np.round(cost * MICROS, 3))

    def blurring(self, rows: Rows) -> FloatArray:
        """Returns by how much offers seem to be worth more, shape (rows, offers)."""
        tile = self._tile
        part = (
            tile[: rows.stop - rows.start] if isinstance(rows, slice) else tile[rows % len(tile)]
        )
        return np.maximum(self.value[rows], 0) * part

    @cached_property
    def _tile(self) -> FloatArray:
        """Shape (rows of a block, offers), the same for every block."""
        chance = np.random.default_rng(BLUR_SEED)
        return chance.random((BLOCK_ROWS, self.offers), dtype=np.float32) * np.float32(self.blur)

    def blocks(self) -> Iterator[slice]:
        """Yields the customers in parts, in order."""
        for start in range(0, self.customers, BLOCK_ROWS):
            yield slice(start, min(start + BLOCK_ROWS, self.customers))


@dataclass(frozen=True)
class Families:
    """Sets of channels that the offers compete for, as bits.

    A customer can get some offers, each by a channel of its own, if and only if for every set of
    channels the offers that can go by no other are not more than the channels have room for
    (Hall 1935). Sets that are no union of offers' channels never decide. So what a customer can
    get are the independent sets of a matroid, on which taking the best first is optimal (Edmonds
    1971).
    """

    masks: Sequence[int]
    """Distinct channel sets of offers."""
    kind: NDArray[np.int64]
    """Shape (offers,): the place of each offer's set in `masks`."""
    unions: Sequence[int]
    """All unions of `masks`; each is a family: the offers whose channels lie in it."""

    @classmethod
    def of(cls, channels: BoolArray) -> "Families":
        """Takes shape (offers, channels)."""
        bits = channels @ (1 << np.arange(channels.shape[1], dtype=np.int64))
        masks, kind = np.unique(bits, return_inverse=True)
        unions: set[int] = set()
        for mask in masks.tolist():
            unions |= {mask} | {mask | other for other in unions}
        return cls(masks.tolist(), kind, sorted(unions))

    @cached_property
    def inside(self) -> BoolArray:
        """Shape (masks, families): whether offers of a mask count for a family."""
        return np.array([[mask & ~union == 0 for union in self.unions] for mask in self.masks])

    def limits(self, room: CodeArray, most: CodeArray) -> CodeArray:
        """Returns how many offers of each family customers can get.

        Args:
            room: shape (customers, channels), by channel.
            most: shape (customers,), by all channels together.
        """
        limits = np.empty((len(most), len(self.unions)), dtype=np.uint8)
        for place, union in enumerate(self.unions):
            chosen = [channel for channel in range(room.shape[1]) if union >> channel & 1]
            total = room[:, chosen].sum(axis=1, dtype=np.int64)
            limits[:, place] = np.minimum(total, most)
        return limits

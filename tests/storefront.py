"""A simulated storefront whose rates are known exactly, writing to a store as a server would.

Customers come in kinds that differ in how often they come and how they act, and within a kind each
has an own chance to click: impressions of one customer are alike. A few come very often, and what
they spend has a long tail. All figures are ratios of sums over customers, so with n impressions,
chance p and share w of a kind the true rate is sum(w n p) / sum(w n).

Much happens that must not count or must count elsewhere: lists that repeat the one before,
purchases of things that were not shown or long after, visitors who log in, forged tokens, events
that are sent twice, and impressions that were lost.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, exp, log
from random import Random

from recsys.live.attribution import Shown, Tokens
from recsys.store.events import LogEvent
from recsys.store.impressions import ExperimentNote, Group, Impression, Loss
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import visitor_key

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEGIN = 1_704_067_200_000_000
"""2024-01-01 00:00 UTC, in microseconds."""
END = BEGIN + 400 * DAY
CATALOGUE, PLACES = 20_000, 5
CHUNK = 2_000
DAYS = 14
"""On which customers come for the first time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Customers who are alike by chance."""

    share: float
    impressions: float
    """Mean of a geometric number from 1."""
    click: float
    """Mean of a customer's chance to click, for the first arm."""


@dataclass(frozen=True, slots=True)
class Street:
    """One placement or arm and how people act on it."""

    group: Group
    weight: float
    """Of the arms of a placement."""
    lift: float
    """Multiplies the chance to click."""


EXPERIMENT, VERSION = "colours", "c0ffee"
FOR_YOU = (
    Street(Group("for_you", "b1", EXPERIMENT, "control"), 0.6, 1.0),
    Street(Group("for_you", "b2", EXPERIMENT, "bold"), 0.4, 1.25),
)
SIMILAR = Street(Group("similar_items", "b1", "", ""), 1.0, 0.8)
POPULAR = Street(Group("popular", "b1", "", ""), 1.0, 0.5)
"""Shown to nobody in particular: clicks are known by tokens alone."""


@dataclass(frozen=True, slots=True)
class Storefront:
    """What is known of the shop, and one stretch of its days."""

    seed: int
    customers: int = 4_000
    kinds: tuple[Kind, ...] = (
        Kind(0.68, 2.0, 0.16),
        Kind(0.30, 6.0, 0.10),
        Kind(0.02, 50.0, 0.05),
    )
    buys_clicked: float = 0.3
    buys_unclicked: float = 0.02
    price_median: float = 20.0
    price_sigma: float = 1.0
    """Of the logarithm: the mean is 1.65 medians, the skewness 6."""
    more_units: float = 0.3
    """Mean of a Poisson number of units after the first."""
    weights: Mapping[str, float] = field(
        default_factory=lambda: {each.group.arm: each.weight for each in FOR_YOU}
    )
    """By which arms are really drawn; the store is told those of `FOR_YOU`."""

    def truth(self) -> dict[tuple[Group, str], float]:
        """Returns the true figure of each group, and of `for_you` as a whole, by metric."""
        known: dict[tuple[Group, str], float] = {}
        for street in (*FOR_YOU, SIMILAR, POPULAR):
            click = self._click() if street is not POPULAR else self.kinds[0].click
            known |= {(street.group, name): v for name, v in self._rates(click * street.lift)}
        whole = sum(self.weights[each.group.arm] * each.lift for each in FOR_YOU)
        group = Group("for_you", "", "", "")
        known |= {(group, name): v for name, v in self._rates(self._click() * whole)}
        del known[POPULAR.group, "conversion_rate"], known[POPULAR.group, "revenue_per_thousand"]
        return known

    def play(self, store: Store) -> None:
        """Lets everything happen."""
        scene = _Scene(self, Random(self.seed), Tokens(store.secret))  # noqa: S311
        for number in range(self.customers):
            scene.customer(number)
        scene.nobody(self.customers)
        note = ExperimentNote(VERSION, EXPERIMENT, {s.group.arm: s.weight for s in FOR_YOU})
        losses = [
            Loss(f"loss-{place}", BEGIN, END - 1, *group, count)
            for place, (group, count) in enumerate(scene.lost.items())
        ]
        store.log_impressions([], losses=losses, experiments=[note])
        for start in range(0, len(scene.shown), CHUNK):
            store.log_impressions(scene.shown[start : start + CHUNK])
        for start in range(0, len(scene.events), CHUNK):
            store.append(scene.events[start : start + CHUNK])
        store.append(scene.events[::50])
        for visitor, customer in scene.links:
            store.link_visitor(visitor, customer)

    def _click(self) -> float:
        seen = sum(kind.share * kind.impressions for kind in self.kinds)
        clicked = sum(kind.share * kind.impressions * kind.click for kind in self.kinds)
        return clicked / seen

    def _rates(self, click: float) -> Iterator[tuple[str, float]]:
        bought = click * self.buys_clicked + (1 - click) * self.buys_unclicked
        price = self.price_median * exp(self.price_sigma**2 / 2)
        yield "click_through_rate", click
        yield "conversion_rate", bought
        yield "revenue_per_thousand", 1_000 * bought * price * (1 + self.more_units)


class _Scene:
    """What happens, one customer after the other."""

    def __init__(self, shop: Storefront, rng: Random, tokens: Tokens) -> None:
        self.shop, self.rng, self.tokens = shop, rng, tokens
        self.shown: list[Impression] = []
        self.events: list[LogEvent] = []
        self.links: list[tuple[str, str]] = []
        self.lost: dict[Group, int] = {}

    def customer(self, number: int) -> None:
        """Lets one customer come, some of them as a visitor first."""
        rng, shop = self.rng, self.shop
        [kind] = rng.choices(shop.kinds, [kind.share for kind in shop.kinds])
        count = _geometric(rng, kind.impressions)
        click = rng.betavariate(20 * kind.click, 20 * (1 - kind.click))
        logged_in = rng.randrange(count + 1) if rng.random() < 0.1 else 0
        streets = {name: self._arm() for name in (visitor_key(f"v{number}"), f"c{number}")}
        if logged_in:
            self.links.append((f"v{number}", f"c{number}"))
        time = BEGIN + number % DAYS * DAY + rng.randrange(DAY)
        begin = rng.randrange(CATALOGUE)
        items: list[str] = []
        for turn in range(count):
            time += rng.randrange(60, 180) * MINUTE
            name = visitor_key(f"v{number}") if turn < logged_in else f"c{number}"
            street = streets[name] if rng.random() < 0.6 else SIMILAR
            again = bool(items) and rng.random() < 0.3
            if not again:
                first = begin + turn * PLACES
                items = [f"i{(first + place) % CATALOGUE}" for place in range(PLACES)]
            shown = self._show(name, time, street, items)
            self._act(shown, name, click * street.lift)
        self._strays(f"c{number}", items, time)

    def nobody(self, count: int) -> None:
        """Lets lists be shown to nobody in particular."""
        for number in range(count):
            time = BEGIN + number % DAYS * DAY + self.rng.randrange(DAY)
            shown = self._show(None, time, POPULAR, ["i1", "i2"])
            if self.rng.random() < self.shop.kinds[0].click * POPULAR.lift:
                self._event("click", "a passer-by", "i1", time + MINUTE, token=self._token(shown))

    def _arm(self) -> Street:
        weights = [self.shop.weights[street.group.arm] for street in FOR_YOU]
        return self.rng.choices(FOR_YOU, weights)[0]

    def _show(self, name: str | None, time: int, street: Street, items: list[str]) -> Impression:
        shown = Impression(
            request_id=self.rng.randbytes(16).hex(),
            answer_time=time,
            customer_id=name,
            placement=street.group.placement,
            bundle_version=street.group.bundle_version,
            experiment=street.group.experiment,
            arm=street.group.arm,
            experiment_version=VERSION if street.group.experiment else "",
            item_ids=items,
            scores=[1.0] * len(items),
            sources=["taste"] * len(items),
            explored_rank=None,
            propensity=None,
            query={},
        )
        # What nobody saw again before or after may be lost: no other list takes its events.
        if name is None and self.rng.random() < 0.02:
            self.lost[street.group] = self.lost.get(street.group, 0) + 1
        else:
            self.shown.append(shown)
        return shown

    def _act(self, shown: Impression, name: str, click: float) -> None:
        """Lets a list be followed by what its customer does, before the next list."""
        rng, shop = self.rng, self.shop
        item = rng.choice(shown.item_ids)
        time = shown.answer_time + rng.randrange(1, 50) * MINUTE
        clicked = rng.random() < click
        if clicked:
            chance = rng.random()
            token = self._token(shown) if chance < 0.5 else None
            if chance > 0.95:
                token = self._token(shown)[:-3] + "abc"
            self._event("view" if chance < 0.8 else "click", name, item, time, token=token)
            if chance < 0.2:
                self._event("view", name, item, time + MINUTE // 2)
        if rng.random() < (shop.buys_clicked if clicked else shop.buys_unclicked):
            price = shop.price_median * exp(rng.gauss(0, shop.price_sigma))
            units = 1 + _poisson(rng, shop.more_units)
            self._event("purchase", name, item, time + MINUTE, price=price, units=units)

    def _strays(self, name: str, items: list[str], last: int) -> None:
        """Lets happen what follows from no list: too late, too early, or not shown."""
        for kind in ("view", "purchase"):
            if self.rng.random() < 0.3:
                self._event(kind, name, items[0], last + DAY + HOUR, price=500.0)
            if self.rng.random() < 0.3:
                self._event(kind, name, "never shown", last + MINUTE, price=500.0)
            if self.rng.random() < 0.1:
                self._event(kind, name, items[0], BEGIN, price=500.0)

    def _event(
        self,
        kind: str,
        name: str,
        item: str,
        time: int,
        *,
        price: float | None = None,
        units: int = 1,
        token: str | None = None,
    ) -> None:
        event_id = f"e{len(self.events)}"
        row = (event_id, name, None, None, item, None, kind, time, float(units), price)
        self.events.append(LogEvent(*row)._replace(attribution_token=token))

    def _token(self, shown: Impression) -> str:
        told = Shown(shown.request_id, *shown.group, shown.answer_time // 1_000)
        return self.tokens.write(told)


def _geometric(rng: Random, mean: float) -> int:
    """Returns a geometric number from 1."""
    return max(1, ceil(log(1 - rng.random()) / log(1 - 1 / mean)))


def _poisson(rng: Random, mean: float) -> int:
    """Returns a Poisson number (Knuth: The art of computer programming 2, 3.4.1)."""
    count, left = 0, rng.random()
    while left > exp(-mean):
        count, left = count + 1, left * rng.random()
    return count


def main() -> None:
    """Plays a storefront into a new store: `python -m tests.storefront store://FOLDER`."""
    store = open_store(sys.argv[1])
    Storefront(seed=3).play(store)
    store.close()


if __name__ == "__main__":
    main()

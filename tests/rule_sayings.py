"""What single rules say of single items, for the oracle of rules."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from recsys.live.rules import (
    Exclude,
    HideBought,
    Include,
    ItemSet,
    Margin,
    PriceBand,
    Rule,
    StockCover,
)
from recsys.pipeline.query import Query
from tests.rule_ground import Ground, Row

DAY_S = 86_400


@dataclass
class Sayings:
    """What rules say to one query."""

    ground: Ground
    query: Query
    rows: list[Row]
    """Of all items, in the query's market."""

    def holds(self, rule: Rule) -> bool:
        now = self.query.query_time
        return (rule.start_time is None or rule.start_time.timestamp() <= now) and (
            rule.end_time is None or now < rule.end_time.timestamp()
        )

    def includes(self, items: ItemSet, row: Row) -> bool:
        if items.item_ids:
            return row["item_id"] in items.item_ids
        said = True
        if items.filter:
            said = self.ground.filters[items.filter](row)
        if items.filter_name:
            key = f"{items.filter_name} {dict(items.parameters)}"
            said = said and self.ground.filters[key](row)
        return said

    def shows(self, rule: Rule, row: Row) -> bool:  # noqa: PLR0911  one for each kind
        match rule:
            case Include():
                return self.includes(rule, row)
            case Exclude():
                return not self.includes(rule, row)
            case Margin():
                if row["price"] is None or row["cost"] is None:
                    return rule.unknown == "show"
                left = row["price"] - row["cost"]
                enough = rule.least_amount is None or left >= rule.least_amount
                if rule.least_share is not None:
                    enough = enough and row["price"] > 0
                    enough = enough and left / row["price"] >= rule.least_share
                return enough
            case StockCover():
                stock, sales = row[rule.stock_column], row[rule.sales_column]
                if stock is None:
                    return rule.unknown == "show"
                return stock > 0 and stock >= max(sales or 0, 0) * rule.days
            case HideBought():
                return row["product"] not in self._bought_lately(rule)
            case PriceBand():
                return self._near(rule, row)
        raise TypeError(rule)

    @property
    def _own(self) -> list[tuple[int, int]]:
        return self.ground.purchases.get(str(self.query.customer_id), [])

    def _bought_lately(self, rule: HideBought) -> set[str]:
        key = f"bought {id(rule)}"
        if key not in self.__dict__:
            since = self.query.query_time - rule.days * DAY_S
            last: dict[int, int] = {}
            for number, time in self._own:
                last[number] = max(time, last.get(number, 0))
            self.__dict__[key] = {
                self.rows[number]["product"]
                for number, time in last.items()
                if time >= since
                and not (rule.unless.is_given and self._in_available(rule.unless, number))
            }
        found: set[str] = self.__dict__[key]
        return found

    def _in_available(self, items: ItemSet, number: int) -> bool:
        row = self.rows[number]
        return self.includes(items, row) and (bool(items.item_ids) or row["available"])

    def _near(self, rule: PriceBand, row: Row) -> bool:
        key = f"prices {id(rule)}"
        if key not in self.__dict__:
            prices = defaultdict(list)
            for number in {number for number, _ in self._own}:
                own = self.rows[number]
                value = self.value(rule.column, rule.depth, own) if rule.column else "all"
                if own["price"] is not None and value is not None:
                    prices[value].append(own["price"])
            self.__dict__[key] = {
                value: median(own) for value, own in prices.items() if len(own) >= rule.fewest
            }
        value = self.value(rule.column, rule.depth, row) if rule.column else "all"
        middle = self.__dict__[key].get(value)
        if middle is None or row["price"] is None:
            return True
        return bool(rule.least * middle <= row["price"] <= rule.most * middle)

    @staticmethod
    def value(column: str, depth: int | None, row: Row) -> Any:
        value = row[column]
        if isinstance(value, list):
            return tuple(value[:depth] if depth else value) or None
        return value

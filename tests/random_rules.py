"""Rule sets as a merchandiser might write them, drawn at random from what a shop has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from recsys.live.rule_checks import contradictions
from recsys.live.rules import NamedFilter, Rule, RuleSet

_RULES: TypeAdapter[dict[str, Rule]] = TypeAdapter(dict[str, Rule])
KINDS = (
    *("include", "exclude", "boost", "bury", "pin", "pin", "at-most", "at-most", "at-least"),
    *("hide-bought", "margin", "stock-cover", "price-band", "tuning"),
)


@dataclass(frozen=True)
class Words:
    """What rules of a shop can speak of."""

    filters: Sequence[str]
    named: Mapping[str, NamedFilter]
    parameters: Mapping[str, Sequence[Mapping[str, Any]]]
    """By named filter: values that it may be asked with."""
    columns: Sequence[tuple[str, int | None]]
    """Columns to count by, with a depth."""
    item_ids: Sequence[str]
    stock: tuple[str, str] | None
    now: int


def random_rules(words: Words, random: np.random.Generator) -> RuleSet:
    """Returns one to six rules that do not contradict each other."""
    while True:
        count = int(random.integers(1, 7))
        rules = _RULES.validate_python(
            {f"rule{number}": _rule(words, random) for number in range(count)}
        )
        if not list(contradictions({"p": rules}, words.named)):
            return RuleSet(rules, words.named)


def _set(words: Words, random: np.random.Generator) -> dict[str, Any]:
    way = random.random()
    if way < 0.2:
        some = random.choice(np.array(words.item_ids), size=int(random.integers(1, 12)))
        return {"item_ids": sorted(set(some.tolist()))}
    found: dict[str, Any] = {}
    if way < 0.8 or not words.named:
        found["filter"] = str(random.choice(np.array(words.filters)))
    if way > 0.65 and words.named:
        name = str(random.choice(np.array(list(words.named))))
        options = words.parameters[name]
        found["filter_name"] = name
        found["parameters"] = dict(options[int(random.integers(len(options)))])
    return found


def _rule(words: Words, random: np.random.Generator) -> dict[str, Any]:  # noqa: C901, PLR0911  one case for each
    kind = str(random.choice(np.array(KINDS)))
    rule: dict[str, Any] = {"kind": kind}
    if random.random() < 0.1:
        ahead = bool(random.random() < 0.5)
        time = datetime.fromtimestamp(words.now + int(random.integers(-9, 9)) * 3600, UTC)
        rule["start_time" if ahead else "end_time"] = time
    if kind not in {"boost", "bury", "pin", "tuning"} and random.random() < 0.4:
        rule["strict"] = bool(random.random() < 0.5)
    column, depth = words.columns[int(random.integers(len(words.columns)))]
    match kind:
        case "include" | "exclude":
            return {**rule, **_set(words, random)}
        case "boost" | "bury":
            return {**rule, **_set(words, random), "factor": float(random.uniform(1.1, 20))}
        case "pin":
            item = str(random.choice(np.array(words.item_ids)))
            return {**rule, "item_id": item, "position": int(random.integers(1, 13))}
        case "at-most":
            way = random.random()
            counted = {} if way < 0.2 else {"column": column, "depth": depth}
            some = _set(words, random) if way < 0.4 else {}
            return {**rule, **counted, **some, "count": int(random.integers(1, 5))}
        case "at-least":
            share = float(random.choice([0.1, 0.25, 0.3, 0.5, 0.7, 1.0]))
            return {**rule, **_set(words, random), "share": share}
        case "hide-bought":
            unless = {"unless": _set(words, random)} if random.random() < 0.5 else {}
            return {**rule, **unless, "days": float(random.choice([1, 7, 30, 90, 400]))}
        case "margin":
            which = "least_share" if random.random() < 0.6 else "least_amount"
            unknown = str(random.choice(["hide", "show"]))
            return {**rule, which: float(random.uniform(0, 0.8)), "unknown": unknown}
        case "stock-cover" if words.stock is not None:
            stock, sales = words.stock
            columns = {"stock_column": stock, "sales_column": sales}
            return {**rule, **columns, "days": float(random.uniform(0.5, 3))}
        case "price-band":
            by = {"column": column, "depth": depth} if random.random() < 0.5 else {}
            band = {"least": float(random.uniform(0, 0.9)), "most": float(random.uniform(1, 3))}
            return {**rule, **by, **band, "fewest": int(random.integers(1, 4))}
    levels = {
        what: float(random.uniform(0 if what == "diversity" else -1, 1))
        for what in ("diversity", "freshness", "popularity")
        if random.random() < 0.6
    }
    rule = {key: value for key, value in rule.items() if key != "strict"}
    return {**rule, "kind": "tuning", **(levels or {"diversity": 0.5})}

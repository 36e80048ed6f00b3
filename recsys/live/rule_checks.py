"""Which rules of a file contradict each other, before any bundle is asked."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.live.filter_parameters import to_parameters
from recsys.live.filter_tokens import parameter_names
from recsys.live.rules import (
    EVERYWHERE,
    AtLeast,
    AtMost,
    BaseRule,
    Boost,
    Bury,
    Exclude,
    HideBought,
    Include,
    ItemSet,
    NamedFilter,
    Pin,
    Rule,
    Tune,
)

Rules = Mapping[str, Mapping[str, Rule]]
"""By placement, then by name."""
Where = tuple[str, ...]


class Contradiction(NamedTuple):
    """Something that a file must not say."""

    path: Where
    """Of the part that is to be corrected; of two, the later one."""
    problem: str


class _Named(NamedTuple):
    path: Where
    rule: Rule


def contradictions(rules: Rules, filters: Mapping[str, NamedFilter]) -> Iterator[Contradiction]:
    """Yields what is wrong with the rules and filters of a file, whatever the bundle."""
    for name, named in filters.items():
        try:
            parameter_names(named.sql)
        except InvalidFilterError as error:
            yield Contradiction(("filters", name, "sql"), _at(error))
    for placement, own in rules.items():
        for name, rule in own.items():
            for part, items in sets_of(rule):
                path = ("rules", placement, name, *part)
                yield from _set_problems(items, filters, path)
    # Rules of every placement meet each other in each of them; one line says it.
    yield from dict.fromkeys(each for placement in rules for each in _within(placement, rules))


def _within(placement: str, rules: Rules) -> Iterator[Contradiction]:
    """Yields what the rules of one placement cannot all ask."""
    if placement != EVERYWHERE:
        for name in rules[placement]:
            if name in rules.get(EVERYWHERE, {}):
                path = ("rules", placement, name)
                yield Contradiction(path, f"rules.{EVERYWHERE} has a rule of this name, too")
    own_rules = list(_of(placement, rules))
    for one, other in combinations(own_rules, 2):
        if _meet(one.rule, other.rule):
            yield from _between(one, other)
    yield from _shares(own_rules)


def sets_of(rule: Rule) -> Iterator[tuple[Where, ItemSet]]:
    """Yields the sets that a rule speaks of, each with its path within the rule."""
    if isinstance(rule, HideBought):
        yield ("unless",), rule.unless
    elif isinstance(rule, ItemSet):
        yield (), rule


def _of(placement: str, rules: Rules) -> Iterator[_Named]:
    """Yields the rules of a placement in the order in which they act."""
    shared = {} if placement == EVERYWHERE else rules.get(EVERYWHERE, {})
    for name, rule in shared.items():
        yield _Named(("rules", EVERYWHERE, name), rule)
    for name, rule in rules[placement].items():
        yield _Named(("rules", placement, name), rule)


def _set_problems(
    items: ItemSet, filters: Mapping[str, NamedFilter], path: Where
) -> Iterator[Contradiction]:
    used: set[str] = set()
    if items.filter_name and items.filter_name not in filters:
        known = ", ".join(filters) or "none"
        problem = f"{items.filter_name!r} is not one of the file's filters: {known}"
        yield Contradiction((*path, "filter_name"), problem)
        return
    try:
        if items.filter.strip():
            used |= parameter_names(items.filter)
        if items.filter_name:
            used |= parameter_names(filters[items.filter_name].sql)
        to_parameters(items.parameters)
    except InvalidFilterError as error:
        yield Contradiction((*path, "filter"), _at(error))
        return
    except InvalidQueryError as error:
        yield Contradiction((*path, "parameters"), f"{error.field}: {error.description}")
        return
    for name in sorted(used - items.parameters.keys()):
        yield Contradiction((*path, "parameters"), f"{name!r} has no value")
    for name in sorted(items.parameters.keys() - used):
        yield Contradiction((*path, "parameters", name), "no filter of the rule has it")


def _at(error: InvalidFilterError) -> str:
    return f"{error.description} (at character {error.position})"


def _meet(one: BaseRule, other: BaseRule) -> bool:
    """Says whether two rules ever hold at the same time."""
    return not (
        (one.end_time and other.start_time and one.end_time <= other.start_time)
        or (other.end_time and one.start_time and other.end_time <= one.start_time)
    )


def _between(one: _Named, other: _Named) -> Iterator[Contradiction]:
    """Yields what two rules that hold at the same time cannot both ask."""
    yield from _of_pins(one, other)
    yield from _of_what_is_shown(one, other)
    yield from _of_same_sets(one, other)
    if isinstance(one.rule, Tune) and isinstance(other.rule, Tune):
        for what in ("diversity", "freshness", "popularity"):
            if None not in (getattr(one.rule, what), getattr(other.rule, what)):
                yield Contradiction((*other.path, what), f"{one.path[-1]!r} sets it, too")


def _of_pins(one: _Named, other: _Named) -> Iterator[Contradiction]:
    name, path = one.path[-1], other.path
    match one.rule, other.rule:
        case Pin() as first, Pin() as second:
            if first.position == second.position:
                problem = f"{name!r} pins {first.item_id!r} to place {first.position}, too"
                yield Contradiction((*path, "position"), problem)
            if first.item_id == second.item_id:
                problem = f"{name!r} pins {first.item_id!r} already, to place {first.position}"
                yield Contradiction((*path, "item_id"), problem)
        case (Exclude() as hidden, Pin() as pin) | (Pin() as pin, Exclude() as hidden):
            if pin.item_id in hidden.item_ids:
                problem = f"contradicts {name!r}: one pins {pin.item_id!r}, one excludes it"
                yield Contradiction(path, problem)
        case (Include() as shown, Pin() as pin) | (Pin() as pin, Include() as shown):
            if shown.item_ids and pin.item_id not in shown.item_ids:
                problem = f"contradicts {name!r}: {pin.item_id!r} is pinned and not included"
                yield Contradiction(path, problem)


def _of_what_is_shown(one: _Named, other: _Named) -> Iterator[Contradiction]:
    name, path = one.path[-1], other.path
    match one.rule, other.rule:
        case Include() as first, Include() as second:
            if first.item_ids and second.item_ids and not _shared(first, second):
                yield Contradiction(path, f"{name!r} includes none of the same items")
        case (Include() as shown, Exclude() as hidden) | (Exclude() as hidden, Include() as shown):
            nothing_left = shown.item_ids and set(shown.item_ids) <= set(hidden.item_ids)
            if nothing_left or shown.items == hidden.items:
                yield Contradiction(path, f"with {name!r} nothing is left to be shown")


def _of_same_sets(one: _Named, other: _Named) -> Iterator[Contradiction]:
    why = ""
    match one.rule, other.rule:
        case (Boost(), Bury()) | (Bury(), Boost()):
            why = "one boosts what the other buries"
        case (Boost(), Boost()) | (Bury(), Bury()):
            why = "both are about the same items; give one factor"
        case (Exclude(), Boost() | AtLeast()) | (Boost() | AtLeast(), Exclude()):
            why = "one asks for what the other excludes"
        case (AtMost(column=""), AtLeast()) | (AtLeast(), AtMost(column="")):
            why = "one bounds what the other asks for a share of"
        case AtMost() as first, AtMost() as second:
            same = (first.column, first.depth) == (second.column, second.depth)
            why = "both bound the same" if same else ""
    if why:
        yield from _same_set(one, other, why)


def _same_set(one: _Named, other: _Named, why: str) -> Iterator[Contradiction]:
    first, second = dict(sets_of(one.rule)), dict(sets_of(other.rule))
    if first[()].items == second[()].items:
        yield Contradiction(other.path, f"contradicts {one.path[-1]!r}: {why}")


def _shared(one: ItemSet, other: ItemSet) -> bool:
    return bool(set(one.item_ids) & set(other.item_ids))


def _shares(own_rules: list[_Named]) -> Iterator[Contradiction]:
    """Yields the first rule with which shares that hold together exceed the list."""
    asking = [each for each in own_rules if isinstance(each.rule, AtLeast)]
    for place, last in enumerate(asking):
        total = sum(
            each.rule.share
            for each in asking[: place + 1]
            if isinstance(each.rule, AtLeast) and _meet(each.rule, last.rule)
        )
        if total > 1 + 1e-9:
            problem = f"with those before it, shares ask for {total:.0%} of the list"
            yield Contradiction((*last.path, "share"), problem)
            return

"""What is searched as one: the settings of one kind of model in one family of the menu."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from recsys.assembly import AlgorithmConfig, SourceConfig
from recsys.choice.gather import Variant
from recsys.choice.menu import Menu
from recsys.tuning.spaces import Range, Ranges, Spaces, Value, algorithm, whole_numbers


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of model of a family; settings without a range are those of the menu."""

    name: str
    family: str
    template: AlgorithmConfig
    """The family's first of this kind on the menu."""
    source: SourceConfig
    ranges: Ranges

    @property
    def whole(self) -> set[str]:
        """Returns the settings that take whole numbers only."""
        return whole_numbers(type(self.template), self.ranges)

    def variant(self, drawn: Mapping[str, float]) -> Variant:
        """Returns the model that drawn numbers stand for."""
        values: dict[str, Value] = {
            name: limits.value(drawn[name]) for name, limits in self.ranges.items()
        }
        changed = algorithm(self.template.kind, {**self.template.model_dump(), **values})
        return named(self.family, changed, self.source)

    def drawn(self, tried: AlgorithmConfig) -> dict[str, float] | None:
        """Returns numbers that stand for a model; None where it cannot be reached from here."""
        found = {name: limits.drawn(getattr(tried, name)) for name, limits in self.ranges.items()}
        known = {name: number for name, number in found.items() if number is not None}
        if len(known) < len(found) or self.variant(known).algorithm != tried:
            return None
        return known


def named(family: str, tried: AlgorithmConfig, source: SourceConfig) -> Variant:
    """Returns a variant under a name that only the same model has."""
    text = json.dumps([tried.model_dump(mode="json"), source.model_dump(mode="json")])
    name = f"{family}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Variant(name, family, tried, source.model_copy(update={"model": name}))


def again(family: str, tried: Mapping[str, object], menu: Menu) -> Variant:
    """Returns the variant that a study wrote down."""
    return named(
        family, algorithm(str(tried["kind"]), tried), menu.families[family].source(family)
    )


def lines_of(menu: Menu, spaces: Spaces, items: int, *, timeless: bool = False) -> list[Line]:
    """Returns what there is to search.

    Args:
        menu: its families are searched, in the kinds that each has.
        spaces: the ranges by kind; a kind without any stays as the menu has it.
        items: of the catalogue: not every family suits every one.
        timeless: everything happened at one moment: how things fade does not matter.
    """
    found: dict[tuple[str, str], Line] = {}
    for family, config in menu.families.items():
        for template in config.variants if config.suits(items) else ():
            ranges = _ranges(spaces, template.kind, timeless=timeless)
            if not ranges or (family, template.kind) in found:
                continue
            if timeless:
                template = template.model_copy(update={"half_life_days": None})  # noqa: PLW2901
            found[family, template.kind] = Line(
                name=f"{family}/{template.kind}",
                family=family,
                template=template,
                source=config.source(family),
                ranges=ranges,
            )
    return list(found.values())


def _ranges(spaces: Spaces, kind: str, *, timeless: bool) -> dict[str, Range]:
    ranges = spaces.models.get(kind, {})
    return {
        name: limits
        for name, limits in ranges.items()
        if not (timeless and name == "half_life_days")
    }

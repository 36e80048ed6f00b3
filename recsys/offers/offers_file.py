"""The offers file: TOML with a table for each offer, refused whole with the line of each fault."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, model_validator

from recsys.config import StrictModel, read_toml_file, validated
from recsys.errors import ConfigError
from recsys.offers.offer import Offer, OfferId
from recsys.toml_lines import TomlLines

MAX_OFFERS = 1_000
"""In one file: they are loaded in one call, all or none."""


class OffersText(NamedTuple):
    """An offers file that was read."""

    offers: tuple[Offer, ...]
    lines: TomlLines
    """Where its parts stand, for what else is found wrong with it."""


class _OffersFile(StrictModel):
    offers: dict[OfferId, Offer] = Field(min_length=1, max_length=MAX_OFFERS)
    """By id, which is not said again."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object) -> object:
        """Gives each offer its id: the name of its table."""
        if not isinstance(values, Mapping) or not isinstance(values.get("offers"), Mapping):
            return values
        offers = {
            offer_id: {"offer_id": offer_id, **offer} if isinstance(offer, Mapping) else offer
            for offer_id, offer in values["offers"].items()
        }
        return {**values, "offers": offers}

    @model_validator(mode="after")
    def _has_no_other_ids(self) -> "_OffersFile":
        for name, offer in self.offers.items():
            if offer.offer_id != name:
                message = f"offers.{name}.offer_id: is another than the name of its table"
                raise ValueError(message)
        return self


def read_offers(path: Path) -> OffersText:
    """Reads an offers file.

    Raises:
        ConfigError: it is missing, not TOML, or says something wrong; one line for each thing
            wrong, with the file's line and its dotted path.
    """
    values, lines = read_toml_file(path)
    found = validated(_OffersFile, values, where=str(path), lines=lines)
    return OffersText(tuple(found.offers.values()), lines)


def refusal(path: Path, text: OffersText, field: str, problem: str) -> ConfigError:
    """Returns the error of an offer that a server refused, with the line of its fault.

    Args:
        path: of the file.
        text: of the same.
        field: as the server says it: `offers[3].eligibility`.
        problem: what is wrong.
    """
    place, _, rest = field.removeprefix("offers[").partition("]")
    if not place.isdigit() or int(place) >= len(text.offers):
        return ConfigError(f"{path}: {field}: {problem}", file=str(path))
    name = text.offers[int(place)].offer_id
    dotted = ["offers", name, *filter(None, rest.split("."))]
    where = text.lines.place(str(path), dotted)
    return ConfigError(f"{where}: {'.'.join(dotted)}: {problem}", file=str(path))

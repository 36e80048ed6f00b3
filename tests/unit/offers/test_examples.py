"""The example of the docs is a file that loads."""

import re
import tomllib
from pathlib import Path

from recsys.live.deployment import Deployment
from recsys.offers.facts import FACTS, FORECASTS
from recsys.offers.offers_file import read_offers

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "offers.md").read_text()


def test_the_example_loads_and_the_page_shows_it() -> None:
    example = DOCS / "examples" / "offers.toml"
    assert [each.offer_id for each in read_offers(example).offers] == [
        "come-back",
        "pasta-week",
        "welcome",
        "refill",
    ]
    offers, deployment = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert offers in example.read_text()
    contacts = Deployment.model_validate(tomllib.loads(deployment)).contacts
    assert [cap.most for cap in contacts.caps] == [2, 6]


def test_every_column_is_explained() -> None:
    assert [name for name in {**FACTS, **FORECASTS} if f"`{name}`" not in PAGE] == []

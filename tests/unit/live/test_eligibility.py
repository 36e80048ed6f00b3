"""Which items may be shown, in a market or in none, and how often that is computed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from recsys.data.events import ITEM_SCHEMA
from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.live import eligibility
from recsys.live.eligibility import Eligibility
from recsys.live.filter_parameters import Parameters


def market(name: str, available: bool | None, price: float | None) -> dict[str, object]:  # noqa: FBT001
    return {"market": name, "available": available, "price": price}


ROWS: list[dict[str, object]] = [
    {
        "item_id": "a",
        "price": 10.0,
        "available": True,
        "markets": [market("de", True, 12.0), market("fr", False, 1.0)],  # noqa: FBT003
    },
    {
        "item_id": "b",
        "price": 20.0,
        "available": False,
        "markets": [market("de", True, 5.0), market("de", False, 99.0)],  # noqa: FBT003
    },
    {"item_id": "c", "price": 30.0, "available": True, "markets": None},
    {"item_id": "d", "price": None, "available": True, "markets": []},
    {"item_id": "e", "price": 1.0, "available": True, "markets": [market("de", None, None)]},
]
FRAME = pl.DataFrame(ROWS, schema={**ITEM_SCHEMA, "organic": pl.Boolean()})


@pytest.fixture
def items() -> Eligibility:
    return Eligibility(FRAME)


@pytest.mark.parametrize(
    ("text", "market", "expected"),
    [
        ("", None, "acde"),
        ("  \n", None, "acde"),
        ("price > 5", None, "ac"),
        ("NOT price > 5", None, "e"),
        ("price IS NULL", None, "d"),
        ("item_id <> 'a'", None, "cde"),
        ("NOT available", None, ""),
        ("organic", None, ""),
        ("", "de", "abe"),
        ("price > 5", "de", "a"),
        ("price <= 5", "de", "b"),
        ("price IS NULL", "de", "e"),
        ("", "fr", ""),
        ("price >= 0", "fr", ""),
    ],
)
def test_available_and_passing(
    items: Eligibility, text: str, market: str | None, expected: str
) -> None:
    mask = items.mask(text, market)
    assert mask.dtype == np.bool_
    assert mask.shape == (len(ROWS),)
    assert "".join(FRAME["item_id"].filter(pl.Series(mask))) == expected


def test_masks_are_read_only(items: Eligibility) -> None:
    for name in (None, "de"):
        with pytest.raises(ValueError, match="read-only"):
            items.mask("price > 5", name)[0] = True


def test_an_unknown_market_names_its_field(items: Eligibility) -> None:
    for text in ("", "price > 5"):
        with pytest.raises(InvalidQueryError) as caught:
            items.mask(text, "atlantis")
        assert caught.value.field == "market"
        assert "atlantis" in caught.value.description


def test_a_catalogue_without_markets_knows_none() -> None:
    items = Eligibility(
        FRAME.with_columns(pl.lit(None, dtype=FRAME["markets"].dtype).alias("markets"))
    )
    assert items.mask("", None).sum() == 4
    with pytest.raises(InvalidQueryError):
        items.mask("", "de")


def test_a_filter_cannot_name_the_markets_column(items: Eligibility) -> None:
    with pytest.raises(InvalidFilterError, match="there is no column 'markets'"):
        items.mask("markets IS NULL", None)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The filters that were compiled, in order."""
    texts: list[str] = []
    compile_filter = eligibility.compile_filter

    def noted(text: str, schema: dict[str, pl.DataType], parameters: Parameters) -> pl.Expr:
        texts.append(text)
        return compile_filter(text, schema, parameters)

    monkeypatch.setattr(eligibility, "compile_filter", noted)
    return texts


def test_the_cache_keeps_the_last_used(compiled: list[str]) -> None:
    items = Eligibility(FRAME, cache_size=2)
    first = items.mask("price > 1", None)
    items.mask("price > 2", None)
    assert items.mask("price > 1", None) is first
    items.mask("price > 3", None)  # drops "price > 2", the one that was not asked for again
    assert items.mask("price > 1", None) is first
    items.mask("price > 2", None)
    assert compiled == ["price > 1", "price > 2", "price > 3", "price > 2"]


def test_markets_do_not_share_masks(compiled: list[str], items: Eligibility) -> None:
    assert items.mask("price > 5", None).tolist() != items.mask("price > 5", "de").tolist()
    assert len(compiled) == 2


def test_errors_are_not_kept(compiled: list[str], items: Eligibility) -> None:
    for _ in range(2):
        with pytest.raises(InvalidFilterError):
            items.mask("prise > 5", None)
    assert len(compiled) == 2


def test_threads_get_the_right_masks() -> None:
    items = Eligibility(FRAME, cache_size=2)
    texts = [f"price > {limit}" for limit in (0, 5, 15, 25)] * 50
    expected = {text: Eligibility(FRAME).mask(text, None).tolist() for text in set(texts)}
    with ThreadPoolExecutor(8) as threads:
        masks = list(threads.map(lambda text: items.mask(text, None).tolist(), texts))
    assert masks == [expected[text] for text in texts]

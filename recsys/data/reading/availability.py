"""Reads whether an item may be shown: yes or no, a stock, or the words of shop systems for it."""

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.literal import column as named
from recsys.data.reading.mapping import FileMapping

_NO = (
    "false", "no", "n", "f", "off", "outofstock", "soldout", "unavailable", "notavailable",
    "discontinued", "disabled", "inactive", "archived", "draft", "unpublished", "hidden",
    "notinstock", "nostock", "temporarilyoutofstock", "temporarilyunavailable", "reserved",
    "sold", "nichtverfügbar", "ausverkauft", "vergriffen", "nichtlieferbar", "nichtauflager",
    "rupturedestock", "enrupturedestock", "épuisé", "indisponible", "agotado", "sinexistencias",
    "esgotado", "esaurito", "nondisponibile", "uitverkocht", "품절", "일시품절",
)  # fmt: skip
_YES = (
    "true", "yes", "y", "t", "on", "instock", "available", "limitedavailability", "lowstock",
    "preorder", "presale", "backorder", "onbackorder", "backorderable", "madetoorder",
    "instoreonly", "onlineonly", "active", "enabled", "published", "visible",
    "left", "onlyleft", "leftinstock", "onlyleftinstock", "remaining", "availablenow", "verfügbar",
    "auflager", "lieferbar", "sofortlieferbar", "vorrätig", "enstock", "disponible", "disponível",
    "disponibile", "enexistencias", "opvoorraad", "재고있음", "판매중",
)  # fmt: skip
_SCHEMA_ORG = r"^(https?)?schema(org)?"
_NO_LETTERS = r"[^\p{L}]+"
_GROUPED = r"^[1-9]\d{0,2}([.,]\d{3})+$"
"""Numbers that may be read in two ways, and are above 0 in both."""
_ONLY_ZERO = r"^\D*0+\D*$"


def availability(column: str, dtype: pl.DataType, mapping: FileMapping) -> pl.Expr:
    """Returns whether each item may be shown; null where a text says neither, or nothing.

    A number is a stock: more than none may be shown. What can be ordered before it is there, or
    after it has sold out (pre-order, back-order), may be shown, too.
    """
    if dtype == pl.Boolean():
        return named(column)
    if dtype.is_numeric():
        stock = cells.number(column, dtype, mapping)
        return pl.when(stock.is_not_nan()).then(stock > 0)
    text = cells.text(column, dtype, mapping)
    word = text.str.to_lowercase().str.replace_all(_NO_LETTERS, "").str.replace(_SCHEMA_ORG, "")
    stock = cells.number(column, dtype, mapping)
    return (
        pl.when(stock.is_finite())
        .then(stock > 0)
        .when(text.str.contains(_GROUPED))
        .then(pl.lit(value=True))
        .when(word.is_in(_YES))
        # "0 in stock"
        .then(~text.str.contains(_ONLY_ZERO))
        .when(word.is_in(_NO))
        .then(pl.lit(value=False))
    )


def is_no(cell: pl.Expr) -> pl.Expr:
    """Returns whether a text says that something may not be shown; false where it says nothing."""
    text = cell.cast(pl.String)
    word = text.str.to_lowercase().str.replace_all(_NO_LETTERS, "").str.replace(_SCHEMA_ORG, "")
    none_left = text.str.strip_chars().cast(pl.Float64, strict=False) <= 0
    return word.is_in(_NO).fill_null(value=False) | none_left.fill_null(value=False)

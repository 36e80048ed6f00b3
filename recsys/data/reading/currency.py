# ruff: noqa: RUF001 - Cyrillic signs of currencies are meant
"""Finds the currency that is written beside a number."""

import re
from collections import Counter
from unicodedata import category

import polars as pl

_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW
KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN
NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK
SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_CODES = frozenset(_ISO_4217.split())
_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₩": "KRW",
    "₹": "INR",
    "₫": "VND",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "₪": "ILS",
    "₱": "PHP",
    "₦": "NGN",
    "฿": "THB",
    "US$": "USD",
    "CA$": "CAD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "NT$": "TWD",
    "MX$": "MXN",
    "R$": "BRL",
    "C$": "CAD",
    "A$": "AUD",
    "S$": "SGD",
    "eur": "EUR",
    "usd": "USD",
    "gbp": "GBP",
    "chf": "CHF",
    "kr.": "kr",
    "kr": "kr",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "lei": "RON",
    "Rs.": "Rs",
    "Rs": "Rs",
    "RM": "MYR",
    "Rp": "IDR",
    "SFr.": "CHF",
    "Fr.": "CHF",
    "лв.": "BGN",
    "лв": "BGN",
    "руб.": "RUB",
    "руб": "RUB",
    "грн": "UAH",
    "円": "JPY",
    "元": "CNY",
    "원": "KRW",
}
"""What stands beside prices; case matters: 5 Ft is money, 5 ft is a length."""

WITHOUT_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"}
    | {"XAF", "XOF", "XPF"}
)
"""Currencies whose prices have no decimal places, so that a separator is one of thousands."""

_FRONT = re.compile(r"^([^\d\s.,'()+-]+)(\.?)\s*")
_BACK = re.compile(r"\s*([^\d\s.,'()+-]+)(\.?)$")


def split_currency(written: str) -> tuple[str, str | None]:
    """Returns a number's text without the currency before or behind it, and the currency.

    The currency is an ISO 4217 code where the sign has only one, otherwise the sign; None: there
    is none that we know, and the text comes back as it was.
    """
    if (match := _FRONT.search(written)) is not None:
        if currency := _currency(match[1] + match[2]):
            return written[match.end() :], currency
        if currency := _currency(match[1]):
            return written[match.end(1) :].lstrip(), currency
    if (match := _BACK.search(written)) is not None:
        currency = _currency(match[1] + match[2]) or _currency(match[1])
        if currency:
            return written[: match.start()], currency
    return written, None


def _currency(sign: str) -> str | None:
    if sign in _CODES:
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    return sign if len(sign) == 1 and category(sign) == "Sc" else None


def currencies(cells: pl.Series) -> dict[str, int]:
    """Returns how many texts of a column name each currency, the most frequent first.

    Numbers without a currency do not count. A column with more than one key mixes currencies.
    """
    if cells.dtype != pl.String():
        return {}
    marked = cells.filter(cells.str.contains(r"\d") & cells.str.contains(r"[^\d\s.,+-]"))
    counts: Counter[str] = Counter()
    for text, count in marked.alias("text").value_counts().iter_rows():
        inner = str(text).strip().removeprefix("(").removesuffix(")").strip("+- \u2212")
        _, currency = split_currency(inner)
        if currency is not None:
            counts[currency] += count
    return dict(counts.most_common())

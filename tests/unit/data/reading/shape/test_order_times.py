from datetime import date, datetime

import polars as pl
import pytest

from recsys.data.reading.mapping_parts import OrderTimes
from recsys.data.reading.shape.order_times import ORDER_TIME, with_order_times

PLAIN = OrderTimes(customer="who", number="no", last=date(2020, 1, 31))
GAPS = PLAIN.model_copy(update={"days_since_prior": "gap", "hour": "hour"})


def times(settings: OrderTimes, **columns: list[str | None]) -> list[str | None]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))
    return with_order_times(frame, settings)[ORDER_TIME].to_list()


def test_one_day_between_orders() -> None:
    found = times(PLAIN, who=["a", "b", "a", "a"], no=["1", "7", "10", "9"])
    assert found == [f"2020-01-{day} 00:00:00" for day in (29, 31, 31, 30)]


def test_gaps_and_hours() -> None:
    found = times(
        GAPS,
        who=["a", "a", "a"],
        no=["1", "2", "3"],
        gap=["", "7.0", "0.5"],
        hour=["09", None, "13.5"],
    )
    assert found == ["2020-01-23 21:00:00", "2020-01-30 12:00:00", "2020-01-31 13:30:00"]


def test_lines_of_one_order_have_one_time() -> None:
    found = times(
        GAPS, who=["a", "a", "a"], no=["1", "2", "2.0"], gap=[None, "3", "9"], hour=["0", "8", "9"]
    )
    assert found == ["2020-01-28 00:00:00", "2020-01-31 08:00:00", "2020-01-31 08:00:00"]


@pytest.mark.parametrize("number", [None, "", "x", "NaN", "inf", "1e300"])
def test_orders_without_a_number_have_no_time_and_move_no_other(number: str | None) -> None:
    found = times(GAPS, who=["a"] * 3, no=["1", number, "2"], gap=["", "50", "1"], hour=["0"] * 3)
    assert found == ["2020-01-30 00:00:00", None, "2020-01-31 00:00:00"]


@pytest.mark.parametrize("gap", [None, "", "x", "NaN", "inf", "-inf", "1e300"])
def test_gaps_that_are_no_numbers_are_none(gap: str | None) -> None:
    found = times(GAPS, who=["a", "a"], no=["1", "2"], gap=[None, gap], hour=[None, "NaN"])
    assert found == ["2020-01-31 00:00:00"] * 2


def test_gaps_that_lead_out_of_time_leave_none() -> None:
    found = times(
        GAPS, who=["a"] * 3, no=["1", "2", "3"], gap=["", "1e14", "2"], hour=["0", "1e14", "0"]
    )
    assert found[:2] == [None, None]
    assert found[2] == "2020-01-31 00:00:00"


def test_customers_that_are_missing_share_nothing() -> None:
    assert times(PLAIN, who=[None, None, "a"], no=["1", "2", "1"]) == [
        None,
        None,
        "2020-01-31 00:00:00",
    ]


def test_an_empty_table() -> None:
    assert times(PLAIN, who=[], no=[]) == []


def test_times_can_be_read() -> None:
    text = times(GAPS, who=["a"], no=["1"], gap=["3"], hour=["23"])[0]
    assert datetime.fromisoformat(text) == datetime(2020, 1, 31, 23)  # noqa: DTZ001 - no zone

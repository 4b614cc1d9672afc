from datetime import UTC, date, datetime

import pytest

from core.web.filters import NOTHING, local_day, local_time, number, percent, show_yuan, wan


def test_money() -> None:
    assert show_yuan(1_234_567) == "12,345.67"
    assert wan(1_100_000_000) == "1,100.00"
    assert wan(12_500_000_000) == "12,500.00"
    assert wan(-1_000_000) == "-1.00"
    assert number(136_000) == "136,000"


def test_shares() -> None:
    assert percent(1, 3) == "33.3%"
    assert percent(0.5) == "50.0%"
    assert percent(1, 0) == NOTHING


def test_instants_read_as_in_china() -> None:
    just_before_midnight = datetime(2013, 12, 31, 16, 30, tzinfo=UTC)
    assert local_time(just_before_midnight) == "2014-01-01 00:30"
    assert local_day(just_before_midnight) == "2014-01-01"
    assert local_day(date(2014, 1, 8)) == "2014-01-08"


@pytest.mark.parametrize("show", [show_yuan, wan, number, percent, local_time, local_day])
def test_nothing_is_a_dash(show: object) -> None:
    assert callable(show)
    assert show(None) == NOTHING

"""Dates in the names of files."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossmedia.indexer.dates import date_in_name, date_of_file


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("IMG_20150102_030405", "2015-01-02T03:04:05"),
        ("PXL_20210504_121314123", "2021-05-04T12:13:14"),
        ("20190302-123456", "2019-03-02T12:34:56"),
        ("Screenshot_2021-05-04-12-13-14", "2021-05-04T12:13:14"),
        ("Screenshot 2021-05-04 at 12.13.14", "2021-05-04T12:13:14"),
        ("signal-2021-05-04-121314", "2021-05-04T12:13:14"),
        ("IMG-20180304-WA0003", "2018-03-04"),
        ("2004.05.06 at the lake", "2004-05-06"),
        ("invoice 2020-02-30", None),
        ("photo 20151301", None),
        ("120150102", None),
        ("201501021", None),
        ("DSC_0042", None),
        ("2015", None),
    ],
)
def test_names_as_phones_and_people_write_them(name: str, right: str | None) -> None:
    assert date_in_name(name) == right


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)), st.sampled_from(["%Y%m%d_%H%M%S", "%Y-%m-%d %H.%M.%S"])
)
def test_what_was_written_is_read(moment: datetime, pattern: str) -> None:
    assert date_in_name(f"a {moment.strftime(pattern)}") == moment.replace(microsecond=0).isoformat()


@given(st.text(max_size=60))
def test_any_name_has_a_date_or_none(name: str) -> None:
    found = date_in_name(name)
    assert found is None or date.fromisoformat(found[:10])


def test_a_file_from_beyond_the_calendar_has_no_date() -> None:
    assert date_of_file(0) == "1970-01-01T00:00:00+00:00"
    assert date_of_file(10**30) is None

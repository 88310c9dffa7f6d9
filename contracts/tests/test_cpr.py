"""No personal number reaches the bus, and no number that only looks like one is refused."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.cpr import contains_personal_number
from contracts.types import PNumber, Ref, Text

SEPARATOR = st.characters(blacklist_categories=("L", "N"), blacklist_characters=":")
SEPARATORS = st.tuples(st.text(SEPARATOR, max_size=1), st.text(SEPARATOR, max_size=1))


@pytest.mark.parametrize(
    "text",
    [
        "010165-1234",  # fails modulus 11, valid since 2007
        "0101651234",
        "010165 1234",
        "010165\u20131234",
        "010165.1234",
        "010165  1234",
        "010165 -1234",
        "670785-1234",  # replacement number: day 7 + 60
        "borger 010165-1234, ring",
        "(290200-4123)",  # 2000 was a leap year
        "010190 - 1234",
        "010190\u20141234",
        "010190\u20111234",
        "010190\u00a01234",
        "010190\t1234",
        "010190/1234",
        "010190_1234",
        "01.01.90-1234",
        "01 01 90 1234",
        "01-01-90 - 1234",
        "310298 010190 1234",  # behind a date that is none
        "31 02 98 0101 90 1234",
    ],
)
def test_a_date_valid_number_is_recognised(text: str) -> None:
    assert contains_personal_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "310298-1234",  # 31 February
        "001298-1234",
        "290201-4123",  # 2001 was no leap year
        "920785-1234",  # day 92 is no replacement day
        "12345678",
        "010165-12345",
        "010165    1234",
        "2026-01-02 09:12:44.1234",
        "2026-01-01/2026-12-31",
        "01-03-2026",
        "01 01 90 12 34",
        "45 12 10 26 12",
        "0101 9012 3456 7890",
        "01019012345678",
        "a010165-1234",
        "0101651234b",
        "5b0e6a2c-6f0e-4f2b-9d5e-010165123456",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not contains_personal_number(text)


def test_a_production_unit_number_may_look_like_a_personal_number() -> None:
    assert contains_personal_number("1010232313")

    assert TypeAdapter(PNumber).validate_python("1010232313") == "1010232313"


def test_free_text_is_guarded() -> None:
    with pytest.raises(ValidationError, match="person_ref"):
        TypeAdapter(Text).validate_python("placement/0101651234")


@given(st.dates(), st.integers(0, 9999), SEPARATORS, st.text(SEPARATOR, max_size=3))
def test_every_birthday_is_recognised_however_it_is_set_apart(
    day: date, serial: int, separators: tuple[str, str], hyphen: str
) -> None:
    first, second = separators
    digits = f"{day:%d}{first}{day:%m}{second}{day.year % 100:02d}"
    leap_day = (day.day, day.month) == (29, 2)

    assert leap_day or contains_personal_number(f"{digits}{hyphen}{serial:04d}")


class Referring(BaseModel):
    """A model with a typed identifier."""

    ref: Ref


@given(st.lists(st.uuids(), min_size=2, max_size=3), st.sampled_from(" /#-"))
def test_no_row_of_uuids_is_taken_for_a_personal_number(refs: list[UUID], between: str) -> None:
    assert not contains_personal_number(between.join(map(str, refs)))


@given(st.text("0123456789", min_size=32, max_size=32))
def test_no_uuid_of_decimal_digits_is_taken_for_a_personal_number(digits: str) -> None:
    assert not contains_personal_number(str(UUID(digits)))


@given(st.datetimes(), st.sampled_from("T "), st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"]))
def test_no_instant_is_taken_for_a_personal_number(instant: datetime, between: str, precision: str) -> None:
    for zone in ("", "Z", "+01:00"):
        assert not contains_personal_number(instant.isoformat(between, precision) + zone)


@given(st.integers(0, 10**30).map(str).filter(lambda digits: len(digits) != 10))
def test_no_number_of_another_length_is_taken_for_a_personal_number(digits: str) -> None:
    assert not contains_personal_number(digits)


@given(st.uuids())
def test_no_uuid_is_taken_for_a_personal_number(ref: Any) -> None:
    assert not contains_personal_number(str(ref))
    assert Referring.model_validate({"ref": str(ref)}).ref == ref

"""No personal number reaches the bus, and no number that only looks like one is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.cpr import contains_personal_number
from contracts.types import PNumber, Ref, Text


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
        "010165/1234",
        "010165-12345",
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


@given(st.dates(), st.integers(0, 9999), st.sampled_from(["", "-", " ", "\u2013", ".", "--"]))
def test_every_birthday_is_recognised_with_any_serial_number_of_its_century(day: Any, serial: int, hyphen: str) -> None:
    digits = f"{day:%d%m}{day.year % 100:02d}"
    leap_day = (day.day, day.month) == (29, 2)

    assert leap_day or contains_personal_number(f"{digits}{hyphen}{serial:04d}")


class Referring(BaseModel):
    """A model with a typed identifier."""

    ref: Ref


@given(st.uuids())
def test_no_uuid_is_taken_for_a_personal_number(ref: Any) -> None:
    assert not contains_personal_number(str(ref))
    assert Referring.model_validate({"ref": str(ref)}).ref == ref

"""Identifiers are judged by what is known of them: modulus 11 for companies, the date for persons, digits for units."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.identifiers import CVR_WEIGHTS, MODULUS, CprKind, cpr_kind_of, cvr_check_digit, is_cvr_number
from contracts.types import CvrNumber, HoursPerWeek, MunicipalityCode, PNumber

SERIALS = st.integers(0, 9_999_999).map("{:07d}".format)


def weighted_sum(digits: str) -> int:
    return sum(weight * int(digit) for weight, digit in zip([*CVR_WEIGHTS, 1], digits, strict=False))


def test_the_check_digit_of_1374813_is_6_because_126_leaves_5() -> None:
    assert weighted_sum("1374813") == 126
    assert 126 % MODULUS == 5
    assert cvr_check_digit("1374813") == 6
    assert is_cvr_number("13748136")


def test_29189897_is_valid_because_its_weighted_sum_is_18_times_11() -> None:
    assert weighted_sum("29189897") == 198 == 18 * MODULUS
    assert is_cvr_number("29189897")


@pytest.mark.parametrize("text", ["13748137", "1374813", "137481360", "13 74 81 36", "13748136\n", "1374813٦", ""])
def test_other_texts_are_no_cvr_number(text: str) -> None:
    assert not is_cvr_number(text)

    with pytest.raises(ValidationError):
        TypeAdapter(CvrNumber).validate_python(text)


def test_a_remainder_of_1_means_that_no_such_number_was_issued() -> None:
    assert weighted_sum("1000005") % MODULUS == 1
    assert cvr_check_digit("1000005") is None
    assert not any(is_cvr_number(f"1000005{digit}") for digit in range(10))


@given(SERIALS)
def test_a_serial_number_has_one_check_digit_or_none_at_all(serial: str) -> None:
    valid = [digit for digit in range(10) if is_cvr_number(f"{serial}{digit}")]

    assert len(valid) == (0 if weighted_sum(serial) % MODULUS == 1 else 1)
    assert all(weighted_sum(f"{serial}{digit}") % MODULUS == 0 for digit in valid)


@given(SERIALS, st.integers(0, 7), st.integers(1, 9))
def test_one_mistyped_digit_is_always_noticed(serial: str, place: int, error: int) -> None:
    digit = cvr_check_digit(serial)
    if digit is None:
        return
    right = f"{serial}{digit}"
    wrong = f"{right[:place]}{(int(right[place]) + error) % 10}{right[place + 1 :]}"

    assert TypeAdapter(CvrNumber).validate_python(right) == right
    assert not is_cvr_number(wrong)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("010165-1234", CprKind.PERSONAL_NUMBER),  # fails modulus 11, valid since 2007
        ("0101651234", CprKind.PERSONAL_NUMBER),
        ("670785-1234", CprKind.REPLACEMENT_NUMBER),  # the 7th, with 60 added
        ("610165-1234", CprKind.REPLACEMENT_NUMBER),
        ("910185-1234", CprKind.REPLACEMENT_NUMBER),
        ("920185-1234", CprKind.INVALID),
        ("310298-1234", CprKind.INVALID),  # 31 February
        ("910298-1234", CprKind.INVALID),
        ("600785-1234", CprKind.INVALID),  # day 0 with 60 added
        ("010165-123", CprKind.INVALID),
        ("010165-1234 ", CprKind.INVALID),
        ("", CprKind.INVALID),
    ],
)
def test_a_personal_number_is_judged_by_its_date_alone(text: str, kind: CprKind) -> None:
    assert cpr_kind_of(text) is kind


def test_the_personal_number_that_is_accepted_does_fail_modulus_11() -> None:
    weights = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)

    assert sum(weight * int(digit) for weight, digit in zip(weights, "0101651234", strict=True)) % MODULUS == 3


def test_a_replacement_number_is_named_as_staff_name_it() -> None:
    assert cpr_kind_of("670785-1234") == "erstatningspersonnummer"


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_any_ten_digits_may_be_a_production_unit(digits: str) -> None:
    assert TypeAdapter(PNumber).validate_python(digits) == digits


@pytest.mark.parametrize(
    ("kind", "text"),
    [(PNumber, "101884562٣"), (MunicipalityCode, "٦٢١"), (HoursPerWeek, "٨.٢٣"), (PNumber, "101884562")],
)
def test_only_the_ten_digits_of_ascii_are_digits(kind: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(text)

"""Danish identifiers: which spellings can be right. Passing a check never proves that a number was issued.

CVR numbers all pass modulus 11 (http://erhvervsstyrelsen.dk/modulus_11); CPR numbers need not, and P-numbers do not.
"""

import re
from enum import StrEnum

from contracts.cpr import REPLACEMENT_DAY, is_personal_number

CVR = re.compile(r"[0-9]{8}")
CVR_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
MODULUS = 11
CPR = re.compile(r"([0-9]{6})-?([0-9]{4})")


class CprKind(StrEnum):
    """What ten digits are, as a personal number."""

    PERSONAL_NUMBER = "personnummer"
    REPLACEMENT_NUMBER = "erstatningspersonnummer"
    INVALID = "invalid"


def cvr_check_digit(serial: str) -> int | None:
    """The last digit that belongs to the first seven of a CVR number; None when such a number is never issued."""
    remainder = sum(weight * int(digit) for weight, digit in zip(CVR_WEIGHTS, serial, strict=True)) % MODULUS
    return None if remainder == 1 else -remainder % MODULUS


def is_cvr_number(text: str) -> bool:
    """Whether the text is eight digits that pass modulus 11."""
    return CVR.fullmatch(text) is not None and cvr_check_digit(text[:7]) == int(text[7])


def cpr_kind_of(text: str) -> CprKind:
    """Tell a personal number from a replacement number, whose day is 60 too high, by its date alone."""
    digits = CPR.fullmatch(text)
    if digits is None or not is_personal_number(*digits.groups()):
        return CprKind.INVALID
    return CprKind.REPLACEMENT_NUMBER if int(text[:2]) > REPLACEMENT_DAY else CprKind.PERSONAL_NUMBER

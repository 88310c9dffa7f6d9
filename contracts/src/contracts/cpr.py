"""Recognise Danish personal numbers in text, so that none reaches the bus.

Only the date is judged. Numbers issued since 1 October 2007 may fail modulus 11 and are valid all the same
(https://www.cpr.dk/cpr-systemet/personnumre-uden-kontrolciffer-modulus-11-kontrol/).
"""

import re
from datetime import date

APART = "[^0-9A-Za-z:]"
# Looked at without being consumed: a number may begin within what turns out to be none.
TOKEN = re.compile(rf"(?<![0-9A-Za-z])(?=(\d\d){APART}?(\d\d){APART}?(\d\d){APART}{{0,3}}(\d{{4}})(?![0-9A-Za-z]))")
REPLACEMENT_DAY = 60


def _century(year: int, seventh: int) -> int:
    """Century of birth from the year and the seventh digit, as the CPR register lays it down."""
    if seventh <= 3:  # noqa: PLR2004 - the register's own table of digits
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900  # noqa: PLR2004
    return 2000 if year <= 57 else 1800  # noqa: PLR2004


def is_personal_number(six: str, four: str) -> bool:
    """Whether the digits date a person; a replacement number (day + 60) does too."""
    day, month, year = int(six[:2]), int(six[2:4]), int(six[4:])
    if day > REPLACEMENT_DAY:
        day -= REPLACEMENT_DAY
    try:
        date(_century(year, int(four[0])) + year, month, day)
    except ValueError:
        return False
    return True


def contains_personal_number(text: str) -> bool:
    """Whether a whole token of the text is a date-valid personal number, however it is written.

    Its parts are up to three characters apart, those of its date up to one. A colon is none of these: it tells times.
    """
    return any(is_personal_number(day + month + year, serial) for day, month, year, serial in TOKEN.findall(text))

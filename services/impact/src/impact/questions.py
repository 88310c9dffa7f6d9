"""Query parameters to a question about figures, or to every reason why they make none; a value is never repeated."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from chassis.problems import Fault, Problem, Said
from chassis.reasons import DAY, SAFE_NAME
from contracts.reach import BEGINNING, is_within_reach, latest_day
from impact.asked import Asked, Page, Reasons, invalid, one_of
from impact.indicator import Indicator
from impact.parameters import PARAMETERS_OF_ALL, PARAMETERS_OF_ONE, PARAMETERS_OF_RECEIPT

POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)
VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
# A plus sign that nobody encoded arrives as a space, and can only have been meant as a plus sign.
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:([Zz])|([+\- ])(\d\d:\d\d))", re.ASCII)
USUAL_CONTRIBUTIONS, MOST_CONTRIBUTIONS = 100, 1000

KNOWN = Said(
    "skal være et tidspunkt efter RFC 3339 eller en position i cifre",
    "must be an RFC 3339 instant, or a position in digits",
)
Given = Iterable[tuple[str, str]]


def asked_about_one(given: Given, entries: Sequence[Indicator], *, served: Sequence[str], today: date) -> Asked:
    """What is asked about one indicator, by the version it names, else by its newest. Raises Problem with all reasons.

    `entries` are its definitions, the oldest first.
    """
    reasons = Reasons()
    asked = _asked(_once(given, PARAMETERS_OF_ONE, reasons), entries, served, today, reasons)
    reasons.refuse_if_any()
    return asked


def asked_about_receipt(
    given: Given, entries: Sequence[Indicator], *, served: Sequence[str], today: date
) -> tuple[Asked, Page]:
    """What is asked about one indicator, and which part of its receipt. Raises Problem with all reasons."""
    reasons = Reasons()
    texts = _once(given, PARAMETERS_OF_RECEIPT, reasons)
    asked = _asked(texts, entries, served, today, reasons)
    page = Page(
        limit=_number(texts, "limit", range(1, MOST_CONTRIBUTIONS + 1), USUAL_CONTRIBUTIONS, reasons),
        cursor=_number(texts, "cursor", range(10**9), 0, reasons),
        since=_known(texts, "since", reasons),
    )
    reasons.refuse_if_any()
    return asked, page


def _asked(
    texts: dict[str, str], entries: Sequence[Indicator], served: Sequence[str], today: date, reasons: Reasons
) -> Asked:
    asked = Asked(
        municipality=_municipality(texts, served, reasons),
        today=today,
        known_as_of=_known(texts, "known_as_of", reasons),
        as_of=_day(texts, "as_of", today, reasons),
        first=_day(texts, "from", today, reasons),
        until=_day(texts, "to", today, reasons),
        by=tuple(texts["by"].split(",")) if "by" in texts else (),
        definition_version=_version(texts, entries, reasons),
    )
    named = [entry for entry in entries if entry.definition_version == asked.definition_version]
    asked.fit((named or entries)[-1], reasons)
    return asked


def asked_about_all(given: Given, *, served: Sequence[str], today: date) -> Asked:
    """What is asked about every indicator alike. Raises Problem with all reasons."""
    reasons = Reasons()
    texts = _once(given, PARAMETERS_OF_ALL, reasons)
    asked = Asked(
        municipality=_municipality(texts, served, reasons),
        today=today,
        known_as_of=_known(texts, "known_as_of", reasons),
        as_of=_day(texts, "as_of", today, reasons),
    )
    reasons.refuse_if_any()
    return asked


def beyond(position: int, name: str = "known_as_of") -> Problem:
    """Nobody can tell what will be known at a position that a lane has not come to."""
    said = Said(
        f"må ikke ligge efter den seneste position, som er {position}",
        f"must not be beyond the latest position, which is {position}",
    )
    return invalid(Fault("parameter", name, said))


def _once(given: Given, parameters: Iterable[dict[str, Any]], reasons: Reasons) -> dict[str, str]:
    asked: dict[str, str] = {}
    allowed = [parameter["name"] for parameter in parameters]
    names = ", ".join(allowed)
    for name, text in given:
        if name not in allowed:
            # A name that the caller chose freely may itself be a value.
            place = name if SAFE_NAME.fullmatch(name) else ""
            reasons.add(place, Said(f"findes ikke her, kun {names}", f"does not exist here, only {names}"))
        elif name in asked:
            reasons.add(name, Said("må kun stå én gang", "may stand only once"))
        asked[name] = text
    return asked


def _municipality(asked: dict[str, str], served: Sequence[str], reasons: Reasons) -> str:
    chosen = asked.get("municipality", served[0] if len(served) == 1 else "")
    if chosen not in served:
        reasons.add("municipality", one_of(served))
    return chosen


def _version(asked: dict[str, str], entries: Iterable[Indicator], reasons: Reasons) -> int | None:
    if (text := asked.get("definition_version")) is None:
        return None
    versions = [entry.definition_version for entry in entries]
    version = int(text) if VERSION.fullmatch(text) else None
    if version not in versions:
        reasons.add("definition_version", one_of(versions))
    return version


def _number(asked: dict[str, str], name: str, allowed: range, usual: int, reasons: Reasons) -> int:
    text = asked.get(name, str(usual))
    number = int(text) if POSITION.fullmatch(text) else -1
    if number not in allowed:
        limits = f"{allowed[0]}..{allowed[-1]}"
        reasons.add(name, Said(f"skal være et helt tal i {limits}", f"must be a whole number in {limits}"))
    return number


def _known(asked: dict[str, str], name: str, reasons: Reasons) -> int | datetime | None:
    if (text := asked.get(name)) is None:
        return None
    if POSITION.fullmatch(text):
        return int(text)
    try:
        return _instant(text)
    except (ValueError, OverflowError):
        reasons.add(name, KNOWN)
        return None


def _instant(text: str) -> datetime:
    if (parts := INSTANT.fullmatch(text)) is None:
        raise ValueError("only the spellings of RFC 3339, not the other ones of ISO 8601")
    day, time, zulu, sign, offset = parts.groups()
    written = f"{day}T{time}" + ("+00:00" if zulu else f"{'-' if sign == '-' else '+'}{offset}")
    return datetime.fromisoformat(written).astimezone(UTC)


def _day(asked: dict[str, str], name: str, today: date, reasons: Reasons) -> date | None:
    text = asked.get(name)
    if text is None:
        return None
    try:
        day = _calendar_date(text)
    except ValueError:
        reasons.add(name, DAY)
        return None
    if not is_within_reach(day, today):
        latest = latest_day(today)
        reasons.add(name, Said(f"skal ligge fra {BEGINNING} til {latest}", f"must be from {BEGINNING} to {latest}"))
        return None
    return day


def _calendar_date(text: str) -> date:
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("only the spelling YYYY-MM-DD, not the other ones of ISO 8601")
    return day

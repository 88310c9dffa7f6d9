"""Query parameters to a question about figures, or to every reason why they make none; a value is never repeated."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chassis.problems import Fault, Problem, Said
from chassis.reasons import DAY, SAFE_NAME
from contracts.reach import BEGINNING, is_within_reach, latest_day
from impact.figures import Question, ask
from impact.indicator import Indicator
from impact.parameters import PARAMETERS_OF_ALL, PARAMETERS_OF_ONE, PARAMETERS_OF_RECEIPT

POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)
VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
# A plus sign that nobody encoded arrives as a space, and can only have been meant as a plus sign.
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:([Zz])|([+\- ])(\d\d:\d\d))", re.ASCII)
MOST_DIMENSIONS = 2
USUAL_CONTRIBUTIONS, MOST_CONTRIBUTIONS = 100, 1000

KNOWN = Said(
    "skal være et tidspunkt efter RFC 3339 eller en position i cifre",
    "must be an RFC 3339 instant, or a position in digits",
)
NO_PERIOD = Said(
    "indikatoren aflæses på dens opgørelsers dage og har ingen periode; brug as_of",
    "this indicator is read on the days of its snapshots and has no period; use as_of",
)
NO_BEGINNING = Said(
    "skal angives sammen med to: en beholdning tages som gennemsnit over perioden",
    "must be given beside to: a stock is averaged over the period",
)
EMPTY = Said("skal ligge før to, som ikke selv er med", "must be before to, which is exclusive")
NOT_YET = Said("må ikke ligge efter as_of", "must not be after as_of")
NO_MONTH = Said("skal være den første i en måned", "must be the first of a month")
TWICE = Said("nævner den samme dimension to gange", "names the same dimension twice")
UNCUT = Said("indikatoren har ingen dimensioner", "this indicator has no dimensions")

Given = Iterable[tuple[str, str]]


def invalid(*faults: Fault) -> Problem:
    """A question that cannot be answered, for these reasons."""
    return Problem(
        422,
        "invalid-question",
        Said("Spørgsmålet kan ikke besvares", "The question cannot be answered"),
        Said("En eller flere parametre er forkerte.", "One or more parameters are wrong."),
        faults=faults,
    )


class Reasons:
    """Everything that is wrong with a request, collected so that the caller can mend it in one go."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, Said], Fault] = {}

    def add(self, name: str, said: Said) -> None:
        """One reason, at the query parameter of this name; a second time it changes nothing."""
        self._faults[name, said] = Fault("parameter", name, said)

    def refuse_if_any(self) -> None:
        """Raise them as one problem."""
        if self._faults:
            raise invalid(*self._faults.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as far as it can be understood before the lane says which definition answers."""

    municipality: str
    today: date
    known_as_of: int | datetime | None
    as_of: date | None
    first: date | None = None
    until: date | None = None
    by: tuple[str, ...] = ()
    definition_version: int | None = None

    @property
    def by_default(self) -> bool:
        """Whether neither dates nor a version were named: then whoever sees no live figure is shown the release."""
        return self == Asked(self.municipality, self.today, None, None)

    def about(self, entry: Indicator) -> Question:
        """The question about an entry of the catalogue. Raises Problem with all reasons."""
        reasons = Reasons()
        self.fit(entry, reasons)
        reasons.refuse_if_any()
        day = self._day(entry)
        return ask(entry, self.municipality, as_of=day, first=self.first, until=self.until, by=self.by)

    def fit(self, entry: Indicator, reasons: Reasons) -> None:
        """Note what an entry cannot answer."""
        self._fit_cut(entry, reasons)
        given = {"from": self.first, "to": self.until}
        bounds = {name: day for name, day in given.items() if day}
        if bounds and entry.evaluated_at:
            for name in bounds:
                reasons.add(name, NO_PERIOD)
            return
        if entry.kind == "cohort":
            for name in (name for name, day in bounds.items() if day.day != 1):
                reasons.add(name, NO_MONTH)
        self._fit_period(entry, reasons)

    def _fit_period(self, entry: Indicator, reasons: Reasons) -> None:
        if self.until and not self.first and entry.kind == "stock":
            reasons.add("from", NO_BEGINNING)
        if self.first and self.until and self.first >= self.until:
            reasons.add("from", EMPTY)
        elif self.first and self._day(entry) < self.first:
            reasons.add("from", NOT_YET)

    def _fit_cut(self, entry: Indicator, reasons: Reasons) -> None:
        if len(set(self.by)) < len(self.by):
            reasons.add("by", TWICE)
        if self.by and not entry.dimensions:
            reasons.add("by", UNCUT)
        elif len(self.by) > MOST_DIMENSIONS or not set(self.by) <= set(entry.dimensions):
            reasons.add("by", _dimensions(entry.dimensions))

    def _day(self, entry: Indicator) -> date:
        """The day of `as_of`; of a period without one, its last day, but a cohort's months do not end its life."""
        if self.as_of:
            return self.as_of
        return self.until - timedelta(days=1) if self.until and entry.kind != "cohort" else self.today


@dataclass(frozen=True, slots=True)
class Page:
    """Which contributions of a receipt, and after which moment what moved it."""

    limit: int
    cursor: int
    since: int | datetime | None


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
        reasons.add("municipality", _one_of(served))
    return chosen


def _one_of(names: Iterable[object]) -> Said:
    listed = ", ".join(map(str, names))
    return Said(f"skal være en af: {listed}", f"must be one of: {listed}")


def _dimensions(names: Sequence[str]) -> Said:
    if len(names) == 1:
        return _one_of(names)
    listed = ", ".join(names)
    return Said(
        f"skal være en eller to af: {listed}, med komma imellem",
        f"must be one or two of: {listed}, with a comma between",
    )


def _version(asked: dict[str, str], entries: Iterable[Indicator], reasons: Reasons) -> int | None:
    if (text := asked.get("definition_version")) is None:
        return None
    versions = [entry.definition_version for entry in entries]
    version = int(text) if VERSION.fullmatch(text) else None
    if version not in versions:
        reasons.add("definition_version", _one_of(versions))
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

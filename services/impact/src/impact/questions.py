"""Query parameters to a question about figures, or to every reason why they make none; a value is never repeated."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from chassis.problems import Fault, Problem, Said
from chassis.reasons import DAY, SAFE_NAME
from contracts.reach import BEGINNING, is_within_reach, latest_day
from impact.catalogue import Indicator
from impact.figures import Question, ask


def _parameter(name: str, description: str, schema: dict[str, str], example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"} | schema,
        "example": example,
    }


PARAMETERS_OF_ALL = [
    _parameter("municipality", "Municipality code.", {"pattern": r"^[0-9]{3}$"}, "621"),
    _parameter(
        "as_of",
        "The figure as it was at the end of this day; today unless given. From 1990-01-01 to two years from today.",
        {"format": "date"},
        "2026-06-30",
    ),
]
PARAMETERS_OF_ONE = [
    *PARAMETERS_OF_ALL,
    _parameter(
        "from",
        "Of a flow: its first day; 1 January of its last day's year unless given.",
        {"format": "date"},
        "2026-01-01",
    ),
    _parameter(
        "to",
        "Of a flow: the day after its last, which is never later than as_of. Without as_of the flow runs up to it.",
        {"format": "date"},
        "2026-07-01",
    ),
    _parameter("by", "One of the indicator's dimensions, to split the figure by.", {}, "department"),
]
NO_PERIOD = Said("en beholdning har ingen periode; brug as_of", "a stock has no period; use as_of")

Given = Iterable[tuple[str, str]]


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
            raise Problem(
                422,
                "invalid-question",
                Said("Spørgsmålet kan ikke besvares", "The question cannot be answered"),
                Said("En eller flere parametre er forkerte.", "One or more parameters are wrong."),
                faults=tuple(self._faults.values()),
            )


def question_of(given: Given, indicator: Indicator, *, served: Sequence[str], today: date) -> Question:
    """The question about one indicator. Raises Problem with all reasons."""
    reasons = Reasons()
    asked = _once(given, PARAMETERS_OF_ONE, reasons)
    municipality = _municipality(asked, served, reasons)
    by = _cut(asked, indicator, reasons)
    as_of = _day(asked, "as_of", today, reasons)
    first, until = _period(asked, indicator, today, reasons)
    as_of = as_of or (until - timedelta(days=1) if until else today)
    if first and until and first >= until:
        reasons.add("from", Said("skal ligge før to, som ikke selv er med", "must be before to, which is exclusive"))
    elif first and as_of < first:
        reasons.add("from", Said("må ikke ligge efter as_of", "must not be after as_of"))
    reasons.refuse_if_any()
    return ask(indicator, municipality, as_of=as_of, first=first, until=until, by=by)


def questions_of(
    given: Given, indicators: Iterable[Indicator], *, served: Sequence[str], today: date
) -> list[Question]:
    """The same question about each indicator. Raises Problem with all reasons."""
    reasons = Reasons()
    asked = _once(given, PARAMETERS_OF_ALL, reasons)
    municipality = _municipality(asked, served, reasons)
    as_of = _day(asked, "as_of", today, reasons) or today
    reasons.refuse_if_any()
    return [ask(indicator, municipality, as_of=as_of) for indicator in indicators]


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
        codes = ", ".join(served)
        reasons.add("municipality", Said(f"skal være en af: {codes}", f"must be one of: {codes}"))
    return chosen


def _cut(asked: dict[str, str], indicator: Indicator, reasons: Reasons) -> tuple[str, ...]:
    by = asked.get("by")
    if by is None:
        return ()
    if by not in indicator.dimensions:
        names = ", ".join(indicator.dimensions)
        reasons.add("by", Said(f"skal være en af: {names}", f"must be one of: {names}"))
    return (by,)


def _period(
    asked: dict[str, str], indicator: Indicator, today: date, reasons: Reasons
) -> tuple[date | None, date | None]:
    if indicator.kind != "flow":
        for name in ("from", "to"):
            if name in asked:
                reasons.add(name, NO_PERIOD)
        return None, None
    return _day(asked, "from", today, reasons), _day(asked, "to", today, reasons)


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

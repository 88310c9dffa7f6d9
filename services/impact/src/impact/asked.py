"""A request about figures, as far as it can be understood before the lane says which definition answers. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis.problems import Fault, Problem, Said
from impact.figures import Question, ask
from impact.indicator import Indicator

MOST_DIMENSIONS = 2

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


def one_of(names: Iterable[object]) -> Said:
    """Which values there are to choose from."""
    listed = ", ".join(map(str, names))
    return Said(f"skal være en af: {listed}", f"must be one of: {listed}")


def _dimensions(names: Sequence[str]) -> Said:
    if len(names) == 1:
        return one_of(names)
    listed = ", ".join(names)
    return Said(
        f"skal være en eller to af: {listed}, med komma imellem",
        f"must be one or two of: {listed}, with a comma between",
    )

"""What the board says, in Danish and in English: phrases, and numbers and dates as each language writes them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from chassis.calendar import COPENHAGEN
from impact.figures import Status
from impact.indicator import Bilingual

Language = Literal["da", "en"]
PERCENT = Decimal(100)
TENTH = Decimal("0.1")

UNITS = {
    "persons": Bilingual("personer", "persons"),
    "placements": Bilingual("ansættelser", "placements"),
    "fte": Bilingual("årsværk", "FTE"),
    "hours_per_week": Bilingual("timer om ugen", "hours per week"),
    "days": Bilingual("dage", "days"),
}
"""Of a share there is none: it is shown in per cent."""

STATUSES = {
    Status.PROVISIONAL: Bilingual("Foreløbigt", "Provisional"),
    Status.NO_DATA: Bilingual("Ingen data", "No data"),
    Status.SUPPRESSED: Bilingual("Tilbageholdt af hensyn til personer", "Withheld to protect persons"),
}
DIRECTIONS = {
    "up": Bilingual("Ønskes højere", "Wanted higher"),
    "down": Bilingual("Ønskes lavere", "Wanted lower"),
    "neutral": Bilingual("", ""),
}
TRACKS = {
    "T1": Bilingual("Spor 1: virksomheder og varige job", "Track 1: companies and lasting jobs"),
    "T2": Bilingual("Spor 2: kommunen som arbejdsgiver og indkøber", "Track 2: the municipality as employer and buyer"),
    "T3": Bilingual("Spor 3: civilsamfund og de svære overgange", "Track 3: civil society and the hard transitions"),
    "": Bilingual("På tværs af sporene", "Across the tracks"),
}


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes in one language."""

    language: Language

    def of(self, text: Bilingual) -> str:
        """The text."""
        return text.danish if self.language == "da" else text.english

    def say(self, danish: str, english: str) -> str:
        """One of the two."""
        return danish if self.language == "da" else english

    def number(self, value: Decimal | int) -> str:
        """With at most one decimal, half up, and thousands apart."""
        # Without the sign of a nought that was rounded from below.
        amount = Decimal(value).quantize(TENTH, ROUND_HALF_UP) or Decimal(0)
        written = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.1f}"
        return written if self.language == "en" else written.translate(str.maketrans(",.", ".,"))

    def amount(self, value: Decimal, unit: str) -> str:
        """A value with its unit; a share in per cent."""
        if unit == "share":
            return f"{self.number(value * PERCENT)} %"
        return f"{self.number(value)} {self.of(UNITS.get(unit, Bilingual(unit, unit)))}"

    def day(self, day: date) -> str:
        """As 28.11.2026, or 28 November 2026."""
        return f"{day:%d.%m.%Y}" if self.language == "da" else f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def moment(self, instant: datetime) -> str:
        """Day and time of day in Denmark."""
        local = instant.astimezone(COPENHAGEN)
        return f"{self.day(local.date())} {self.say('kl.', 'at')} {local:%H:%M}"


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

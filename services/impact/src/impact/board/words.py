"""What the board says, in Danish and in English: phrases, and numbers and dates as each language writes them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from chassis.calendar import COPENHAGEN
from impact.figures import Status
from impact.indicator import Bilingual

Language = Literal["da", "en"]
PERCENT = Decimal(100)

DECIMALS = {"share": 1, "fte": 2, "hours_per_week": 2, "h/week": 2, "days": 1}
"""How many a unit is written with, a share in per cent; what is counted has none."""

UNITS = {
    "persons": Bilingual("personer", "persons"),
    "placements": Bilingual("ansættelser", "placements"),
    "fte": Bilingual("årsværk", "FTE"),
    "hours_per_week": Bilingual("timer om ugen", "hours per week"),
    "days": Bilingual("dage", "days"),
}
"""Of a share there is none: it is shown in per cent."""

PARTS = {"h/week": Bilingual("timer", "hours"), **UNITS}
"""What stands above and below the line of a mean."""

STATUSES = {
    Status.PROVISIONAL: Bilingual("Foreløbigt", "Provisional"),
    Status.NO_DATA: Bilingual("Ingen data", "No data"),
    Status.SUPPRESSED: Bilingual("Tilbageholdt af hensyn til personer", "Withheld to protect persons"),
}
DIRECTIONS = {
    "up": Bilingual("Højere", "Higher"),
    "down": Bilingual("Lavere", "Lower"),
    "neutral": Bilingual("", ""),
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

    def number(self, value: Decimal | int, decimals: int = 0) -> str:
        """With so many decimals, half up, and thousands apart."""
        # Without the sign of a nought that was rounded from below.
        amount = Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) or Decimal(0)
        written = f"{amount:,.{decimals}f}"
        return written if self.language == "en" else written.translate(str.maketrans(",.", ".,"))

    def amount(self, value: Decimal, unit: str) -> str:
        """A value with its unit; a share in per cent."""
        decimals = DECIMALS.get(unit, 0)
        if unit == "share":
            return f"{self.number(value * PERCENT, decimals)} %"
        return f"{self.number(value, decimals)} {self.of(UNITS.get(unit, Bilingual(unit, unit)))}"

    def part(self, value: Decimal, unit: str) -> str:
        """What a mean is of, or over, with its unit."""
        return f"{self.number(value, DECIMALS.get(unit, 0))} {self.of(PARTS.get(unit, Bilingual(unit, unit)))}"

    def day(self, day: date) -> str:
        """As 28.11.2026, or 28 November 2026."""
        return f"{day:%d.%m.%Y}" if self.language == "da" else f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def moment(self, instant: datetime) -> str:
        """Day and time of day in Denmark."""
        local = instant.astimezone(COPENHAGEN)
        return f"{self.day(local.date())} {self.say('kl.', 'at')} {local:%H:%M}"

    def ago(self, since: timedelta) -> str:
        """How long ago, in the largest unit of which there are two; the present is no time ago."""
        seconds = since.total_seconds()
        for size, unit in AGES:
            if seconds >= 2 * size:
                return self.say(
                    f"for {seconds // size:.0f} {unit.danish} siden", f"{seconds // size:.0f} {unit.english} ago"
                )
        return self.say("lige nu", "just now")


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
AGES = (
    (86400, Bilingual("dage", "days")),
    (3600, Bilingual("timer", "hours")),
    (60, Bilingual("minutter", "minutes")),
    (1, Bilingual("sekunder", "seconds")),
)

"""The one calendar, injected everywhere: what day it is; a file may hold the instant, so that a year takes minutes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
FILE = "file:"


class Calendar(Protocol):
    """Dates everything that a service records; timers, heartbeats and expiry use real time instead."""

    def now(self) -> datetime:
        """The instant, aware and in UTC."""

    def today(self) -> date:
        """The Danish calendar date of `now()`."""


class SystemCalendar:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The instant, aware and in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The Danish calendar date of `now()`."""
        return danish_date(self.now())


@dataclass(frozen=True, slots=True)
class FileCalendar:
    """An instant that a file holds, read again on every call; whoever moves it replaces the file whole."""

    path: Path

    def now(self) -> datetime:
        """The instant in the file, in UTC. Raises ValueError when the file holds none."""
        try:
            instant = datetime.fromisoformat(self.path.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise ValueError(f"the clock file {self.path} cannot be read: {error.strerror}") from None
        except ValueError:
            raise ValueError(f"the clock file {self.path} must hold one RFC 3339 instant") from None
        if instant.tzinfo is None:
            raise ValueError(
                f"the clock file {self.path} must hold an instant with its offset, as 2026-03-01T08:00:00Z"
            )
        return instant.astimezone(UTC)

    def today(self) -> date:
        """The Danish calendar date of `now()`."""
        return danish_date(self.now())


def danish_date(instant: datetime) -> date:
    """The calendar date in Denmark at an instant."""
    return instant.astimezone(COPENHAGEN).date()


def calendar_of(setting: str) -> Calendar:
    """The calendar that `system` or `file:PATH` names. Raises ValueError for anything else, or an unreadable file."""
    if setting == "system":
        return SystemCalendar()
    if not setting.startswith(FILE) or setting == FILE:
        raise ValueError("must be `system` or `file:PATH`")
    calendar = FileCalendar(Path(setting.removeprefix(FILE)))
    calendar.now()
    return calendar

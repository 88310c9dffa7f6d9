"""What a run comes to: a value per round and key, and why a key has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.bench.keys import KEYS, NAMES

NOT_ASKED = "not asked for"


@dataclass(slots=True)
class Results:
    """Values by key, one for each round; reasons for those that have none; notes on how some were taken."""

    wanted: frozenset[str]
    rounds: dict[str, list[float]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def wants(self, *names: str) -> bool:
        """Whether one of these keys was asked for."""
        return not self.wanted.isdisjoint(names)

    def add(self, name: str, value: float) -> None:
        """One round's value of a key."""
        assert name in NAMES
        self.rounds.setdefault(name, []).append(value)

    def leave_out(self, name: str, reason: str) -> None:
        """Say why a key has no value."""
        self.reasons[name] = reason

    def note(self, text: str) -> None:
        """Say something that a reader of the table must know; the same only once."""
        if text not in self.notes:
            self.notes.append(text)

    def value(self, name: str) -> float | None:
        """The median of the rounds; None where there was none, or nobody asked."""
        values = self.rounds.get(name)
        return median(values) if values and name in self.wanted else None

    def reason(self, name: str) -> str | None:
        """Why a key has no value; None when it has one."""
        if self.value(name) is not None:
            return None
        return self.reasons.get(name, NOT_ASKED)

    def written(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """The run as it is kept: every key, and what it was measured with."""
        return {
            **{key.name: self.value(key.name) for key in KEYS},
            "reasons": {key.name: reason for key in KEYS if (reason := self.reason(key.name))},
            "rounds": {name: values for name, values in self.rounds.items() if name in self.wanted},
            "notes": self.notes,
            "details": self.details,
            **about,
        }

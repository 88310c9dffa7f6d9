"""The basis of the pool, in versions: which one is in force on a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from contracts.types import HoursPerWeek, OrganisationUnit, Share
from flexjob_pool.domain.refusals.applications import NoRulesInForce


@dataclass(frozen=True, slots=True)
class Rules:
    """One version, in force from `occurred_on` until the next one is, and never edited; None sets no limit."""

    noun: ClassVar = "rules"

    rules_version: int
    occurred_on: date
    refund_share: Share
    max_weekly_effective_hours: HoursPerWeek | None
    max_months: int | None
    eligible_units: tuple[OrganisationUnit, ...]

    @property
    def key(self) -> str:
        """The version's number."""
        return str(self.rules_version)

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """A version stands alone."""
        return ()


def rules_on(versions: Iterable[Rules], day: date) -> Rules:
    """The version in force on a day: the latest begun, of several begun together the highest."""
    begun = [rules for rules in versions if rules.occurred_on <= day]
    if not begun:
        raise NoRulesInForce
    return max(begun, key=lambda rules: (rules.occurred_on, rules.rules_version))


def version(versions: Iterable[Rules], number: int | None) -> Rules:
    """The version of a number. Raises NoRulesInForce when it is not known."""
    found = next((rules for rules in versions if rules.rules_version == number), None)
    if found is None:
        raise NoRulesInForce
    return found


def next_version(versions: Iterable[Rules]) -> int:
    """The number of the version that is adopted next, from 1."""
    return max((rules.rules_version for rules in versions), default=0) + 1

"""What payroll says of one employment, day by day: of overlapping intervals the one registered last holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from flexjob_pool.domain.payroll.versions import Identity, Rank, Version


class Interval(NamedTuple):
    """A share of full time from a day on, until another or without end."""

    first: date
    end: date | None
    rate: Decimal
    told: Identity
    rank: Rank

    def holds_on(self, day: date) -> bool:
        """Whether the day lies in it."""
        return self.first <= day and (self.end is None or day < self.end)


class Step(NamedTuple):
    """From `day` on this interval holds, until the next step, because of a message; None: payroll says nothing."""

    day: date
    interval: Interval | None
    because: Identity

    @property
    def begins(self) -> bool:
        """Whether the interval begins here, rather than shows again where another one ends."""
        return self.interval is not None and self.interval.first == self.day


@dataclass(frozen=True, slots=True)
class Employment:
    """An employment as its versions in force tell of it, in the order of their registration; there is at least one.

    `matched_to` is the placement that a caseworker says it pays for.
    """

    employment_ref: UUID
    versions: tuple[Version, ...]
    matched_to: UUID | None = None

    @property
    def placement_id(self) -> UUID:
        """The placement that it pays for: as matched, else as payroll named it first."""
        return self.matched_to or self.versions[0].event.placement_id

    @property
    def end(self) -> Version | None:
        """The end that was registered last."""
        return next((each for each in reversed(self.versions) if isinstance(each.event, EmploymentEnded)), None)

    @property
    def intervals(self) -> list[Interval]:
        """Its working times."""
        return [
            Interval(each.event.occurred_on, each.event.ends_on, each.event.occupation_rate, each.told, each.rank)
            for each in self.versions
            if isinstance(each.event, WorkingTimeChanged)
        ]

    @property
    def first_day(self) -> date:
        """The first day that payroll tells anything of."""
        return min(each.event.occurred_on for each in self.versions)

    def without(self, version: Version) -> "Employment":
        """What else payroll tells of it, be it nothing."""
        return replace(self, versions=tuple(each for each in self.versions if each is not version))


def steps_of(employment: Employment) -> list[Step]:
    """When which interval holds, up to the employment's end, from which nothing does."""
    intervals = employment.intervals
    steps = _by_day(intervals)
    if employment.end is None:
        return steps
    end = employment.end.event.occurred_on
    before = [step for step in steps if step.day < end]
    return [*before, Step(end, None, employment.end.told)] if before else []


def employments_of(versions: Iterable[Version], matches: Mapping[UUID, UUID]) -> list[Employment]:
    """The employments that versions in force tell of; `matches` names the placement of those that were matched."""
    told: dict[UUID, list[Version]] = {}
    for version in sorted(versions, key=lambda each: each.rank):
        told.setdefault(version.event.employment_ref, []).append(version)
    return [Employment(ref, tuple(found), matches.get(ref)) for ref, found in told.items()]


def beyond_end(employment: Employment) -> list[Interval]:
    """The intervals that contradict the end: registered after it, and beginning when the employment is over."""
    end = employment.end
    if end is None:
        return []
    return [each for each in employment.intervals if each.first >= end.event.occurred_on and each.rank > end.rank]


def overlap(one: Employment, other: Employment) -> bool:
    """Whether there is a day in both."""
    first, second = sorted((one, other), key=lambda each: each.first_day)
    return first.end is None or second.first_day < first.end.event.occurred_on


def _by_day(intervals: Sequence[Interval]) -> list[Step]:
    days = {each.first for each in intervals} | {each.end for each in intervals if each.end}
    steps: list[Step] = []
    for day in sorted(days):
        holding = max((each for each in intervals if each.holds_on(day)), key=lambda each: each.rank, default=None)
        # The first day is a beginning, so that something holds on it.
        if not steps or steps[-1].interval != holding:
            steps.append(Step(day, holding, holding.told if holding else steps[-1].because))
    return steps

"""What is due to be registered because of payroll, against what payroll has registered before.

What is due follows from what payroll says now and from what the doors have registered, not from the order in which
either came; so late, repeated and reordered messages end in the same registrations.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.reach import is_within_reach
from flexjob_pool.domain.payroll import reasons
from flexjob_pool.domain.payroll.timeline import Employment, Step, beyond_end, overlap, steps_of
from flexjob_pool.domain.payroll.versions import Identity, Version
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.requests.flexjobs import PayEnd, PayHours

FULL_TIME = 37
CENT = Decimal("0.01")


class Hours(NamedTuple):
    """Hours per week."""

    attendance: Decimal
    effective: Decimal


# Before 2013 payroll pays for presence; since then for effective hours, which nobody can have more of than presence.
IN_SCHEME: Mapping[str, Callable[[Decimal, Hours], Hours]] = {
    "post2013": lambda paid, booked: Hours(max(booked.attendance, paid), paid),
    "pre2013": lambda paid, booked: Hours(paid, booked.effective),
}


@dataclass(frozen=True, slots=True)
class Booked:
    """What the doors have registered of a flexjob; `hours` by the day they begin, the first on the day of its start."""

    person_ref: UUID
    scheme: str
    started_on: date
    ended_on: date | None
    hours: Mapping[date, Hours]

    def hours_on(self, day: date) -> Hours:
        """What the doors say of a day of the flexjob."""
        return self.hours[max(each for each in self.hours if each <= day)]


class Wanted(NamedTuple):
    """Something that is due to be registered, and the message that it follows from."""

    ask: PayHours | PayEnd
    because: Identity


class Differing(NamedTuple):
    """Something of an employment that is not registered, and why; `message` is None when it is all of it."""

    employment_ref: UUID
    message: Identity | None
    reason: Refusal


Due = Wanted | Differing
Status = Literal["applied", "unknown", "differs", "refused", "not_in_force"]


def status_of(differing: Collection[Differing]) -> Status:
    """What became of an employment of which something is in force, by the gravest of what differs."""
    if not differing:
        return "applied"
    if any(not isinstance(each.reason, reasons.Difference) for each in differing):
        return "refused"
    return "unknown" if any(isinstance(each.reason, reasons.FlexjobUnknown) for each in differing) else "differs"


def due(booked: Booked | None, employments: Iterable[Employment], today: date) -> list[Due]:
    """What the employments that pay for one flexjob want registered, and what of it cannot be."""
    if booked is None:
        return [Differing(each.employment_ref, None, reasons.FlexjobUnknown()) for each in employments]
    found: list[Due] = []
    paying: list[Employment] = []
    for each in sorted(employments, key=lambda each: each.versions[0].rank):
        fitting, contradicting = _sieve(booked, each)
        found += contradicting
        if fitting and any(overlap(fitting, other) for other in paying):
            found.append(Differing(each.employment_ref, None, reasons.OverlappingEmployments()))
        elif fitting:
            paying.append(fitting)
    return [*found, *_of_paying(booked, sorted(paying, key=lambda each: each.first_day), today)]


def _sieve(booked: Booked, employment: Employment) -> tuple[Employment | None, list[Differing]]:
    """What of an employment fits the flexjob, and what contradicts it."""
    contradicting = [
        Differing(employment.employment_ref, version.told, reason)
        for version in employment.versions
        if (reason := _contradiction(booked, employment, version))
    ]
    out = {each.message for each in contradicting}
    fitting = tuple(each for each in employment.versions if each.told not in out)
    return (replace(employment, versions=fitting) if fitting else None), contradicting


def _contradiction(booked: Booked, employment: Employment, version: Version) -> Refusal | None:
    if not employment.matched_to and version.event.placement_id != employment.placement_id:
        return reasons.AnotherPlacement()
    if version.event.person_ref != booked.person_ref:
        return reasons.AnotherPerson()
    return None


def _of_paying(booked: Booked, paying: list[Employment], today: date) -> Iterator[Due]:
    """What is due of employments that follow each other; the last one's end is the flexjob's."""
    if not paying:
        return
    *earlier, last = paying
    ends, last = _end(booked, last, today)
    yield from ends
    until = next((each.ask.occurred_on for each in ends if isinstance(each, Wanted)), booked.ended_on)
    steps: dict[date, tuple[UUID, Step]] = {}
    for each in (*earlier, last):
        for late in beyond_end(each):
            yield Differing(each.employment_ref, late.told, reasons.AfterEmploymentEnd())
        for step in steps_of(each):
            if not (reason := _out_of_place(booked, until, step.day, today)):
                steps[step.day] = (each.employment_ref, step)
            elif step.begins:
                yield Differing(each.employment_ref, step.because, reason)
    yield from _hours(booked, steps)


def _end(booked: Booked, last: Employment, today: date) -> tuple[list[Due], Employment]:
    """What is due of an employment's end, and the employment without what is left out, which takes nothing with it."""
    end = last.end
    if end is None or end.event.occurred_on == booked.ended_on:
        return [], last
    day = end.event.occurred_on
    reason = _contradicts(booked, day)
    if reason:
        found, rest = _end(booked, last.without(end), today)
        return [Differing(last.employment_ref, end.told, reason), *found], rest
    if not is_within_reach(day, today):
        return [Differing(last.employment_ref, end.told, reasons.TooFarAhead())], last
    return [Wanted(PayEnd(occurred_on=day, employment_ref=last.employment_ref), end.told)], last


def _contradicts(booked: Booked, end: date) -> Refusal | None:
    if booked.ended_on:
        return reasons.OtherEndRegistered()
    return reasons.EndsBeforeFlexjob() if end < booked.started_on else None


def _out_of_place(booked: Booked, until: date | None, day: date, today: date) -> Refusal | None:
    if day < booked.started_on or (until and day >= until):
        return reasons.OutsideFlexjob()
    return None if is_within_reach(day, today) else reasons.TooFarAhead()


def _hours(booked: Booked, steps: Mapping[date, tuple[UUID, Step]]) -> Iterator[Due]:
    """The steps that change the hours in force: of the doors' and payroll's, the one that began last holds."""
    current = booked.hours[booked.started_on]
    for day in sorted({*booked.hours, *steps}):
        current = booked.hours.get(day, current)
        if day not in steps:
            continue
        employment_ref, step = steps[day]
        hours = _hours_of(booked, step)
        if isinstance(hours, Refusal):
            yield Differing(employment_ref, step.because, hours)
        elif hours != current:
            current = hours
            ask = PayHours(
                occurred_on=day,
                employment_ref=employment_ref,
                attendance_hours_per_week=hours.attendance,
                effective_hours_per_week=hours.effective,
            )
            yield Wanted(ask, step.because)


def _hours_of(booked: Booked, step: Step) -> Hours | Refusal:
    """The hours that a step asks for: what is paid, or what the doors say where payroll says nothing."""
    at_doors = booked.hours_on(step.day)
    if step.interval is None:
        return at_doors
    if booked.scheme not in IN_SCHEME:
        return reasons.SchemeNotKnown()
    paid = (step.interval.rate * FULL_TIME).quantize(CENT, ROUND_HALF_UP)
    if not paid:
        return reasons.NoHoursPaid()
    hours = IN_SCHEME[booked.scheme](paid, at_doors)
    # Who registered hours from that very day knew what they said; both are shown, and the doors' stay.
    return reasons.OtherHoursRegistered() if step.day in booked.hours and hours != at_doors else hours

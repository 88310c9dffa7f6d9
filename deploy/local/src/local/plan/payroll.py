"""Employments whose hours and ends come from payroll alone: late, twice, contradictory, ahead of time, and unknown.

A caseworker registers the first day of each flexjob; the rest is payroll's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.flexjobs import ChangeHours, EndFlexjob, StartFlexjob
from local.actions.payroll import ChangeWorkingTime, EndEmployment, MatchEmployment, TakeBack
from local.plan import jobs
from local.plan.chance import OPENING_DAY, Chance, workday
from local.plan.jobs import Hired
from local.plan.towns import Town

FULL_TIME = 37
RATE = Decimal("0.0001")


@dataclass(frozen=True)
class Employment:
    """A flexjob as payroll knows it."""

    chance: Chance
    start: StartFlexjob
    employment_ref: UUID
    placement_id: UUID

    def paid(
        self, first: date, hours: Decimal, *, told: date, late: int = 0, until: date | None = None
    ) -> ChangeWorkingTime:
        """So many hours from a day on, told on another, and heard of some days later."""
        return ChangeWorkingTime(
            registered_on=workday(told + timedelta(days=late)),
            message_id=self.chance.ref(),
            employment_ref=self.employment_ref,
            told_on=told,
            placement_id=self.placement_id,
            person_ref=self.start.person_ref,
            occurred_on=first,
            occupation_rate=(hours / FULL_TIME).quantize(RATE),
            ends_on=until,
        )

    def over(self, end: date, *, told: date) -> EndEmployment:
        """The employment ends."""
        return EndEmployment(
            registered_on=told,
            message_id=self.chance.ref(),
            employment_ref=self.employment_ref,
            told_on=told,
            placement_id=self.placement_id,
            person_ref=self.start.person_ref,
            occurred_on=end,
        )

    def other_hours(self, more: int) -> Decimal:
        """Some quarters of an hour more than at the start."""
        return self.start.effective_hours_per_week + Decimal(more) / 4


def employed(chance: Chance, town: Town, number: int) -> Iterator[Action]:
    """A flexjob and what payroll tells of it, each time with another twist."""
    twist = TWISTS[number % len(TWISTS)]
    day = chance.workday_after(OPENING_DAY, 5, 120)
    hired = Hired(chance.ref(), town.place(chance), day, day, jobs.hours(chance))
    start = jobs.started(chance, hired, scheme="post2013")
    if twist is of_the_old_scheme:
        start = jobs.started(chance, replace(hired, start=date(2011, 5, 2)), scheme="pre2013")
    known_as = chance.ref() if twist is unknown_at_first else start.placement_id
    employment = Employment(chance, start, chance.ref(), known_as)
    yield start
    first = employment.paid(start.occurred_on, start.effective_hours_per_week, told=workday(day + timedelta(days=3)))
    yield first
    yield from twist(employment, day)


def late(job: Employment, day: date) -> Iterator[Action]:
    """New hours, of which payroll hears six weeks later."""
    began = workday(day + timedelta(days=40))
    yield job.paid(began, job.other_hours(8), told=workday(began + timedelta(days=45)))


def for_a_while(job: Employment, day: date) -> Iterator[Action]:
    """Fewer hours for two months; then what was told before holds again."""
    began = workday(day + timedelta(days=50))
    yield job.paid(began, job.other_hours(-3), told=began, until=began + timedelta(days=60))


def overlapping(job: Employment, day: date) -> Iterator[Action]:
    """Two intervals that contradict each other on some days; the one told last holds on these."""
    first, second = workday(day + timedelta(days=30)), workday(day + timedelta(days=60))
    yield job.paid(first, job.other_hours(6), told=first, until=second + timedelta(days=40))
    yield job.paid(second, job.other_hours(12), told=second, until=second + timedelta(days=90))


def overtaken(job: Employment, day: date) -> Iterator[Action]:
    """What payroll told first arrives last, and does not hold where something newer does."""
    began = workday(day + timedelta(days=30))
    yield job.paid(began, job.other_hours(4), told=began, late=50, until=began + timedelta(days=80))
    yield job.paid(began + timedelta(days=20), job.other_hours(10), told=workday(began + timedelta(days=14)))


def twice(job: Employment, day: date) -> Iterator[Action]:
    """The same message again, weeks later."""
    began = workday(day + timedelta(days=35))
    message = job.paid(began, job.other_hours(5), told=began)
    yield message
    yield replace(message, registered_on=workday(began + timedelta(days=25)))


def ahead_of_time(job: Employment, day: date) -> Iterator[Action]:
    """New hours and an end, both told long before they are true."""
    told = workday(day + timedelta(days=20))
    yield job.paid(told + timedelta(days=70), job.other_hours(7), told=told)
    yield job.over(told + timedelta(days=150), told=workday(told + timedelta(days=10)))


def unknown_at_first(job: Employment, day: date) -> Iterator[Action]:
    """Payroll has another id for the flexjob, until a caseworker says which one it is."""
    began = workday(day + timedelta(days=40))
    yield job.paid(began, job.other_hours(9), told=began)
    yield MatchEmployment(
        registered_on=workday(began + timedelta(days=48)),
        employment_ref=job.employment_ref,
        placement_id=job.start.placement_id,
    )


def corrected(job: Employment, day: date) -> Iterator[Action]:
    """The hours were others, payroll finds two months later."""
    began = workday(day + timedelta(days=40))
    wrong = job.paid(began, job.other_hours(16), told=began)
    yield wrong
    right = job.paid(began + timedelta(days=7), job.other_hours(6), told=workday(began + timedelta(days=62)))
    yield replace(right, corrects=wrong.message_id, reason_code="registration_error")


def taken_back(job: Employment, day: date) -> Iterator[Action]:
    """The hours never changed, payroll finds."""
    began = workday(day + timedelta(days=40))
    wrong = job.paid(began, job.other_hours(14), told=began)
    yield wrong
    yield _taken_back(job, wrong, workday(began + timedelta(days=55)))


def ends_late(job: Employment, day: date) -> Iterator[Action]:
    """The last day is told a month after it."""
    end = workday(day + timedelta(days=100))
    yield job.over(end, told=workday(end + timedelta(days=30)))


def end_corrected(job: Employment, day: date) -> Iterator[Action]:
    """The last day was another."""
    told = workday(day + timedelta(days=110))
    wrong = job.over(told - timedelta(days=10), told=told)
    yield wrong
    right = job.over(told + timedelta(days=12), told=workday(told + timedelta(days=40)))
    yield replace(right, corrects=wrong.message_id, reason_code="late_information")


def end_taken_back(job: Employment, day: date) -> Iterator[Action]:
    """The job goes on, after all."""
    end = workday(day + timedelta(days=90))
    wrong = job.over(end, told=end)
    yield wrong
    yield _taken_back(job, wrong, workday(end + timedelta(days=45)))


def differing(job: Employment, day: date) -> Iterator[Action]:
    """A caseworker registers hours and the end; payroll's next step holds, and its other end is only shown."""
    began = workday(day + timedelta(days=30))
    hours = job.other_hours(4)
    yield ChangeHours(
        registered_on=began,
        occurred_on=began,
        placement_id=job.start.placement_id,
        attendance_hours_per_week=hours + 10,
        effective_hours_per_week=hours,
        cause="capacity_up",
    )
    later = workday(began + timedelta(days=40))
    yield job.paid(later, job.other_hours(2), told=later)
    end = workday(later + timedelta(days=50))
    yield EndFlexjob(registered_on=end, occurred_on=end, placement_id=job.start.placement_id, reason_code="resigned")
    yield job.over(end + timedelta(days=14), told=workday(end + timedelta(days=5)))


def of_the_old_scheme(job: Employment, day: date) -> Iterator[Action]:
    """Pay says nothing of the effective hours, but the end is an end."""
    began = workday(day + timedelta(days=30))
    yield job.paid(began, Decimal(FULL_TIME), told=began)
    end = workday(began + timedelta(days=120))
    yield job.over(end, told=end)


def _taken_back(job: Employment, wrong: ChangeWorkingTime | EndEmployment, day: date) -> TakeBack:
    return TakeBack(
        registered_on=day,
        message_id=job.chance.ref(),
        employment_ref=job.employment_ref,
        told_on=day,
        reason_code="never_happened",
        taken_back=wrong.message_id,
    )


TWISTS: tuple[Callable[[Employment, date], Iterator[Action]], ...] = (
    late,
    for_a_while,
    overlapping,
    overtaken,
    twice,
    ahead_of_time,
    unknown_at_first,
    corrected,
    taken_back,
    ends_late,
    end_corrected,
    end_taken_back,
    differing,
    of_the_old_scheme,
)

"""Paid jobs: those that started, whether people work more or fewer hours, and whether jobs last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from operator import gt, lt

from local.expected.days import days_between
from local.expected.lives import LONGEST_PAUSE, Job, Life, Lives
from local.expected.value import Figure, Value, amount, cells, ratio

FULL_TIME_HOURS = 37
MILESTONES = (13, 26, 52)
HEADLINE_WEEKS = 26
# All that the doors of the flexjob pool can tell of a job.
KIND, ORIGIN, PARTNER = "flexjob", "unknown", "no"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A job so many weeks after its start, whatever job the person has by then."""

    weeks: int
    employed: bool
    hours_kept: bool


def jobs_started(lives: Lives, as_of: date) -> Figure:
    """J1: jobs that started in the year of `as_of`, up to then."""
    count = amount(len(_started(lives, as_of)))
    return Figure(
        count, {"kind": cells({KIND: count}), "origin": cells({ORIGIN: count}), "partner": cells({PARTNER: count})}
    )


def hours_started(lives: Lives, as_of: date) -> Figure:
    """J2: their hours at the end of their first day, in full-time equivalents."""
    hours = sum((Fraction(job.hours[job.started_on]) for job in _started(lives, as_of)), Fraction())
    return _by_kind(amount(hours / FULL_TIME_HOURS))


def _started(lives: Lives, as_of: date) -> list[Job]:
    return [job for job in lives.jobs if job.started_on.year == as_of.year]


def progress(lives: Lives, as_of: date) -> Figure:
    """J3: those at work with more hours than on the first day of their run."""
    at_work = lives.at_work(as_of)
    return _by_kind(ratio(sum(gt(*_now_and_then(life, as_of)) for life in at_work), len(at_work)))


def regression(lives: Lives, as_of: date) -> Figure:
    """J3r: those at work with fewer hours than on the first day of their run."""
    at_work = lives.at_work(as_of)
    return _by_kind(ratio(sum(lt(*_now_and_then(life, as_of)) for life in at_work), len(at_work)))


def _now_and_then(life: Life, as_of: date) -> tuple[Decimal, Decimal]:
    return life.diary[as_of], life.diary[life.first_day_of_run]


def sustained(lives: Lives, as_of: date) -> Figure:
    """J4: jobs whose person is still employed after so many weeks, at no fewer hours a week."""
    return _by_weeks({weeks: [m.hours_kept for m in reached] for weeks, reached in _reached(lives, as_of).items()})


def still_employed(lives: Lives, as_of: date) -> Figure:
    """J4e: jobs whose person is still employed after so many weeks, whatever the hours."""
    return _by_weeks({weeks: [m.employed for m in reached] for weeks, reached in _reached(lives, as_of).items()})


def _reached(lives: Lives, as_of: date) -> dict[int, list[Milestone]]:
    every = [m for life in lives.people.values() for job in life.jobs for m in _milestones(job, life, as_of)]
    return {weeks: [m for m in every if m.weeks == weeks] for weeks in MILESTONES}


def _milestones(job: Job, life: Life, as_of: date) -> Iterator[Milestone]:
    diary = life.diary
    for weeks in MILESTONES:
        due = job.started_on + timedelta(weeks=weeks)
        if due <= as_of:
            idle = sum(day not in diary for day in days_between(job.started_on, due))
            employed = due in diary and idle <= LONGEST_PAUSE.days
            yield Milestone(weeks, employed, employed and diary[due] >= diary[job.started_on])


def _by_kind(whole: Value) -> Figure:
    return Figure(whole, {"kind": cells({KIND: whole})})


def _by_weeks(held: dict[int, Sequence[bool]]) -> Figure:
    shares = {weeks: ratio(sum(kept), len(kept)) for weeks, kept in held.items()}
    headline = shares[HEADLINE_WEEKS]
    weeks = {str(weeks): share for weeks, share in shares.items()}
    return Figure(
        headline, {"weeks": cells(weeks), "kind": cells({KIND: headline}), "origin": cells({ORIGIN: headline})}
    )

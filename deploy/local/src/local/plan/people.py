"""People's lives with flexjobs: some came before the year, some hold two at once, some move on to the next."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.flexjobs import EndFlexjob, StartFlexjob
from local.plan import funding, jobs, reviews
from local.plan.chance import LAST_DAY, OPENING_DAY, Chance, workday
from local.plan.funding import Wanted
from local.plan.jobs import Hired
from local.plan.towns import Town

# Days until the next job, by why the last one ended: 28 still count as staying in work, 29 do not.
PAUSES = {"other_flexjob": (0, 10, 28), "resigned": (28, 7, 45), "dismissed": (29, 20), "funding_ended": (29, 28)}
FIRST_START = date(2025, 3, 24)
DAYS_WITH_STARTS = 300
TWO_JOBS = 20
WAYS = ("came before", "came before", "hired directly", "funded", "funded")


def life(chance: Chance, town: Town, number: int) -> Iterator[Action]:
    """One person's year, by one of the ways into a flexjob; some soon hold two at once."""
    person = chance.ref()
    reason = jobs.END_REASONS[number % len(jobs.END_REASONS)]
    way = WAYS[number % len(WAYS)]
    if way == "came before":
        story = list(_came_before(chance, town, person, reason))
        if number % TWO_JOBS == 0:
            story += _hired_directly(chance, town, person, chance.workday_after(OPENING_DAY, 10, 60), reason)
    elif way == "hired directly":
        day = chance.workday_after(OPENING_DAY, 5, DAYS_WITH_STARTS)
        story = list(_hired_directly(chance, town, person, day, reason))
    else:
        day = chance.workday_after(FIRST_START, 0, DAYS_WITH_STARTS)
        story = list(_hired_with_funding(chance, town, person, day, reason))
    yield from story
    yield from _next_job(chance, town, person, story)


def _came_before(chance: Chance, town: Town, person: UUID, reason: str) -> Iterator[Action]:
    """A job of years ago, entered in the first week of the year; its reviews fall due in the course of it."""
    start = _old_job(chance, town, person)
    while reviews.falls_due_at_once(start):
        start = _old_job(chance, town, person)
    end = jobs.last_day(chance, start)
    yield start
    yield from reviews.talks(chance, start, end)
    yield from _course(chance, town, start, end, reason)


def _old_job(chance: Chance, town: Town, person: UUID) -> StartFlexjob:
    scheme = "pre2013" if chance.one_in(40) else "post2013"
    start = date(2009, 2, 2) + timedelta(days=chance.randrange(1200)) if scheme == "pre2013" else None
    entered = chance.workday_after(OPENING_DAY, 1, 6)
    hired = Hired(person, town.place(chance), start or jobs.before_the_year(chance), entered, jobs.hours(chance))
    return jobs.started(chance, hired, scheme=scheme)


def _hired_directly(chance: Chance, town: Town, person: UUID, day: date, reason: str) -> Iterator[Action]:
    """On the workplace's own money; every third time for a need that it had reported."""
    wanted = Wanted(town.place(chance), day, jobs.hours(chance), 0)
    need_id = None
    if chance.one_in(3) and day > OPENING_DAY + timedelta(days=90):
        need_id, story = funding.need(chance, wanted, (person, chance.ref()))
        yield from story
    hired = Hired(person, wanted.place, day, chance.registration(day), wanted.hours, need_id=need_id)
    start = jobs.started(chance, hired)
    yield start
    yield from _course(chance, town, start, jobs.last_day(chance, start), reason)


def _hired_with_funding(chance: Chance, town: Town, person: UUID, day: date, reason: str) -> Iterator[Action]:
    """On the pool's money, for a need; twelve months from January 2026 would reach a year without a budget."""
    months = chance.choice((6, 9, 12) if day <= LAST_DAY else (6, 9))
    wanted = Wanted(town.place(chance), day, jobs.hours(chance), months)
    need_id, reported = funding.need(chance, wanted, (person, *(chance.ref() for _ in range(chance.choice((0, 0, 1))))))
    grant_id, granted = funding.grant(chance, wanted, need_id)
    yield from (*reported, *granted)
    hired = Hired(person, wanted.place, day, chance.registration(day), wanted.hours, grant_id, need_id)
    start = jobs.started(chance, hired)
    end = jobs.last_day(chance, start)
    yield start
    yield from funding.refunds(chance, grant_id, wanted, end)
    yield from _course(chance, town, start, end, reason)


def _course(chance: Chance, town: Town, start: StartFlexjob, end: date, reason: str) -> Iterator[Action]:
    yield from jobs.goings_on(chance, town, start, end)
    if end <= LAST_DAY:
        yield from jobs.ended(chance, start, end, reason)


def _next_job(chance: Chance, town: Town, person: UUID, story: list[Action]) -> Iterator[Action]:
    """Most who left without another aim find another flexjob, soon or just too late to count as staying in work."""
    for end in story:
        if isinstance(end, EndFlexjob) and end.reason_code in PAUSES and not chance.one_in(4):
            day = end.occurred_on + timedelta(days=chance.choice(PAUSES[end.reason_code]))
            registered = max(end.registered_on, workday(day))
            hired = Hired(person, town.place(chance), day, registered, max(Decimal(2), jobs.hours(chance)))
            start = jobs.started(chance, hired)
            yield start
            yield from _course(chance, town, start, jobs.last_day(chance, start), "other")

"""One flexjob from its first day to its last: hours up and down, steps, a transfer, and an end for some reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.flexjobs import (
    ChangeHours,
    EndFlexjob,
    ObtainOrdinaryEmployment,
    StartFlexjob,
    TakeStep,
    Transfer,
)
from local.plan.chance import LAST_DAY, Chance, workday
from local.plan.office import MAX_HOURS
from local.plan.towns import Place, Town

END_REASONS = ("ordinary_job", "other_flexjob", "pension", "resigned", "dismissed", "funding_ended", "other")
STEP_CODES = ("course", "new_task", "mentor", "other")
STEPS = tuple(Decimal(quarters) / 4 for quarters in (-6, -4, -2, 0, 2, 4, 6, 10, 14))
CAUSES_UP = ("capacity_up", "capacity_up", "task_match")
CAUSES_DOWN = ("capacity_down", "capacity_down", "organisational")


@dataclass(frozen=True)
class Hired:
    """Who gets a flexjob, where, from when, on which money and for which need."""

    person: UUID
    place: Place
    start: date
    registered_on: date
    hours: Decimal
    grant_id: UUID | None = None
    need_id: UUID | None = None


def hours(chance: Chance) -> Decimal:
    """Effective hours a week, in quarters; ten hours and fewer are common."""
    return Decimal(chance.randint(8, chance.choice((40, 4 * MAX_HOURS)))) / 4


def started(chance: Chance, hired: Hired, *, scheme: str = "post2013") -> StartFlexjob:
    """The first day."""
    department, unit = hired.place
    permanent = scheme == "pre2013" or chance.one_in(3)
    return StartFlexjob(
        registered_on=hired.registered_on,
        occurred_on=hired.start,
        placement_id=chance.ref(),
        person_ref=hired.person,
        grant_id=hired.grant_id,
        need_id=hired.need_id,
        department=department,
        workplace_unit=unit,
        attendance_hours_per_week=hired.hours + Decimal(chance.randrange(20)) / 4,
        effective_hours_per_week=hired.hours,
        grant_term="permanent" if permanent else "temporary_5y",
        retention=chance.one_in(5),
        scheme=scheme,
    )


def last_day(chance: Chance, start: StartFlexjob) -> date:
    """The day after the last day, which may lie beyond the year."""
    return chance.workday_after(max(start.registered_on, start.occurred_on), 30, 600)


def goings_on(chance: Chance, town: Town, start: StartFlexjob, end: date) -> Iterator[Action]:
    """What happens in a flexjob until it ends."""
    yield from _changes(chance, start, end)
    yield from _steps(chance, start, end)
    if chance.one_in(6):
        yield from _transfer(chance, town, start, end)


def _changes(chance: Chance, start: StartFlexjob, end: date) -> Iterator[ChangeHours]:
    """Hours up and down, each time something new, and so far apart that no late registration overtakes another."""
    effective, pauses = start.effective_hours_per_week, start.attendance_hours_per_week - start.effective_hours_per_week
    day = chance.workday_after(max(start.registered_on, start.occurred_on), 40, 220)
    while day < min(end - timedelta(days=25), LAST_DAY):
        step = chance.choice([step for step in STEPS if effective + step >= 1])
        effective += step
        pauses += 0 if step else 1
        yield ChangeHours(
            registered_on=chance.registration(day),
            occurred_on=day,
            placement_id=start.placement_id,
            attendance_hours_per_week=effective + pauses,
            effective_hours_per_week=effective,
            cause=_cause(chance, step),
        )
        day = chance.workday_after(day, 60, 240)


def _cause(chance: Chance, step: Decimal) -> str:
    if not step:
        return "task_match"
    return chance.choice(CAUSES_UP if step > 0 else CAUSES_DOWN)


def _steps(chance: Chance, start: StartFlexjob, end: date) -> Iterator[TakeStep]:
    for _ in range(chance.choice((0, 0, 0, 1, 1))):
        day = chance.workday_after(max(start.registered_on, start.occurred_on), 10, 250)
        code = chance.choice(STEP_CODES)
        if day < end:
            timed = Decimal(chance.randint(2, 60)) / 2 if code == "course" else None
            yield TakeStep(
                registered_on=day, occurred_on=day, placement_id=start.placement_id, step_code=code, hours=timed
            )


def _transfer(chance: Chance, town: Town, start: StartFlexjob, end: date) -> Iterator[Transfer]:
    """On to another workplace of the municipality, which splits no job in two."""
    day = chance.workday_after(max(start.registered_on, start.occurred_on), 40, 200)
    department, unit = town.place(chance, but=(start.department, start.workplace_unit))
    if day < end - timedelta(days=15):
        yield Transfer(
            registered_on=chance.registration(day),
            occurred_on=day,
            placement_id=start.placement_id,
            department=department,
            workplace_unit=unit,
        )


def ended(chance: Chance, start: StartFlexjob, end: date, reason: str) -> Iterator[Action]:
    """The end, and the ordinary job for which it came."""
    registered = chance.registration(end)
    if reason == "ordinary_job":
        yield ObtainOrdinaryEmployment(
            registered_on=registered,
            occurred_on=end - timedelta(days=1),
            placement_id=start.placement_id,
            effective_hours_per_week=Decimal(chance.randint(15, 37)),
        )
    yield EndFlexjob(registered_on=registered, occurred_on=end, placement_id=start.placement_id, reason_code=reason)


def before_the_year(chance: Chance) -> date:
    """A first day in the five years before."""
    return workday(date(2020, 1, 2) + timedelta(days=chance.randrange(1700)))

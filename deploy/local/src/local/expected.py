"""What the figures must say: the plan walked day by day and person by person, with no part of impact in it.

Slow and plain on purpose, so that agreement with the fold means something.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID

from local.actions import Action, AllocateBudget, Apply, ChangeHours, CommitGrant, EndFlexjob, StartFlexjob

FULL_TIME_HOURS = 37
DAY = timedelta(days=1)

Departments = dict[str, list[Fraction]]


@dataclass(frozen=True, slots=True)
class Value:
    """A value, none without data, and of a ratio what stands above and below the line."""

    value: Decimal | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The whole, and the cells of each cut by name; a cell that is nil or has no data is left out."""

    whole: Value
    cuts: dict[str, dict[str, Value]]


@dataclass(slots=True)
class Job:
    """A flexjob as it stands on a day."""

    placement_id: UUID
    person_ref: UUID
    department: str
    started_on: date
    hours: Decimal
    grant_id: UUID | None


@dataclass(slots=True)
class Grant:
    """A grant's days, and what it draws on each fiscal year."""

    days: list[date]
    draws: dict[int, int]


@dataclass(slots=True)
class World:
    """Everything that is true on a day."""

    applied: dict[UUID, int] = field(default_factory=dict)
    budgets: dict[UUID, AllocateBudget] = field(default_factory=dict)
    grants: dict[UUID, Grant] = field(default_factory=dict)
    jobs: dict[UUID, Job] = field(default_factory=dict)
    starts: list[StartFlexjob] = field(default_factory=list)


def expected_figures(actions: Sequence[Action], *, as_of: date, known_on: date) -> dict[str, Figure]:
    """Every figure at the end of `as_of`, as the registrations up to the end of `known_on` tell it, by indicator id."""
    world = _world_on([action for action in actions if action.registered_on <= known_on], as_of)
    starts = [start for start in world.starts if start.occurred_on.year == as_of.year]
    hours = sum(start.effective_hours_per_week for start in starts)
    departments = _by_department(world.jobs.values())
    return {
        "J1": _flow(Fraction(len(starts))),
        "J2": _flow(Fraction(hours) / FULL_TIME_HOURS),
        "F1": _persons(departments),
        "F4": _mean_hours(departments),
        "F5": _utilisation(world, as_of.year),
    }


def _world_on(known: Sequence[Action], as_of: date) -> World:
    world = World()
    days: dict[date, list[Action]] = defaultdict(list)
    for action in known:
        days[action.occurred_on].append(action)
    day = min(days, default=as_of)
    while day <= as_of:
        for action in days.get(day, ()):
            _happen(world, action)
        day += DAY
    return world


def _happen(world: World, action: Action) -> None:
    match action:
        case AllocateBudget():
            world.budgets[action.budget_id] = action
        case Apply():
            world.applied[action.application_id] = action.amount_ore
        case CommitGrant():
            world.grants[action.grant_id] = _grant(action, world.applied[action.application_id])
        case StartFlexjob():
            world.starts.append(action)
            world.jobs[action.placement_id] = _job(action)
        case ChangeHours():
            world.jobs[action.placement_id].hours = action.effective_hours_per_week
        case EndFlexjob():
            job = world.jobs.pop(action.placement_id)
            if job.grant_id:
                _release(world.grants[job.grant_id], job.started_on, action.occurred_on)
        case _:
            pass


def _job(start: StartFlexjob) -> Job:
    return Job(
        placement_id=start.placement_id,
        person_ref=start.person_ref,
        department=start.department,
        started_on=start.occurred_on,
        hours=start.effective_hours_per_week,
        grant_id=start.grant_id,
    )


def _grant(action: CommitGrant, amount_ore: int) -> Grant:
    """Share the amount by days: whole øre first, then one more to the years with the largest remainders."""
    days = [action.period_from + n * DAY for n in range((action.period_to - action.period_from).days)]
    exact = {year: Fraction(amount_ore * count, len(days)) for year, count in _days_per_year(days).items()}
    draws = {year: floor(share) for year, share in exact.items()}
    by_remainder = sorted(exact, key=lambda year: (draws[year] - exact[year], year))
    for year in by_remainder[: amount_ore - sum(draws.values())]:
        draws[year] += 1
    return Grant(days, draws)


def _release(grant: Grant, started_on: date, ended_on: date) -> None:
    """Keep of each year's draw what its days with the flexjob cost."""
    used = _days_per_year(day for day in grant.days if started_on <= day < ended_on)
    for year, count in _days_per_year(grant.days).items():
        grant.draws[year] = _half_up(Fraction(grant.draws[year] * used.get(year, 0), count))


def _days_per_year(days: Iterable[date]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for day in days:
        counts[day.year] += 1
    return dict(counts)


def _by_department(jobs: Iterable[Job]) -> Departments:
    """Each person's hours over all jobs, in the one department where the person counts."""
    people: dict[UUID, list[Job]] = defaultdict(list)
    for job in jobs:
        people[job.person_ref].append(job)
    departments: Departments = defaultdict(list)
    for held in people.values():
        departments[_department_of(held)].append(_hours(held))
    return departments


def _department_of(held: Sequence[Job]) -> str:
    """The department of most hours, then of the earliest start, then of the lowest placement id."""
    there = {name: [job for job in held if job.department == name] for name in {job.department for job in held}}
    ranks = {
        name: (-_hours(jobs), *min((job.started_on, str(job.placement_id)) for job in jobs))
        for name, jobs in there.items()
    }
    return min(ranks, key=lambda name: ranks[name])


def _hours(jobs: Iterable[Job]) -> Fraction:
    return sum((Fraction(job.hours) for job in jobs), Fraction())


def _flow(total: Fraction) -> Figure:
    return Figure(_amount(total), {"kind": _cells({"flexjob": _amount(total)})})


def _persons(departments: Departments) -> Figure:
    cells = {name: _amount(Fraction(len(people))) for name, people in departments.items()}
    everyone = sum(len(people) for people in departments.values())
    return Figure(_amount(Fraction(everyone)), {"department": _cells(cells)})


def _mean_hours(departments: Departments) -> Figure:
    cells = {name: _mean(people) for name, people in departments.items()}
    everyone = [hours for people in departments.values() for hours in people]
    return Figure(_mean(everyone), {"department": _cells(cells)})


def _mean(hours: Sequence[Fraction]) -> Value:
    return _ratio(sum(hours, Fraction()), Fraction(len(hours)))


def _utilisation(world: World, fiscal_year: int) -> Figure:
    years = {budget.fiscal_year for budget in world.budgets.values()} | {fiscal_year}
    shares = {year: _share(world, year) for year in years}
    cells = {str(year): share for year, share in shares.items()}
    return Figure(shares[fiscal_year], {"fiscal_year": _cells(cells)})


def _share(world: World, year: int) -> Value:
    allocated = sum(budget.amount_ore for budget in world.budgets.values() if budget.fiscal_year == year)
    drawn = sum(grant.draws.get(year, 0) for grant in world.grants.values())
    return _ratio(Fraction(drawn), Fraction(allocated))


def _cells(values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value.value}


def _amount(amount: Fraction) -> Value:
    return Value(_rounded(amount))


def _ratio(over: Fraction, under: Fraction) -> Value:
    return Value(_rounded(over / under) if under else None, _rounded(over), _rounded(under))


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def _rounded(value: Fraction) -> Decimal:
    """Six decimals, half up, as figures are published."""
    return Decimal(_half_up(value * 10**6)).scaleb(-6)

"""A made-up year of a flexjob pool: a pure function of a seed and a number of people, never sent or counted here."""

import calendar
import itertools
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from local.actions import (
    Action,
    AdjustBudget,
    AdoptRules,
    AllocateBudget,
    Apply,
    Approve,
    ChangeHours,
    CommitGrant,
    EndFlexjob,
    Plan,
    Reject,
    StartFlexjob,
)

FIRST_DAY = date(2025, 1, 1)
LAST_DAY = date(2025, 12, 31)
DAYS = tuple(FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
OPENING_DAY = date(2025, 1, 2)
NEW_RULES_DAY = date(2025, 7, 1)
EXTRA_BUDGET_DAY = date(2025, 9, 1)
FINAL_BUDGET_DAY = date(2025, 10, 8)
ORE_IN_100_000_KR = 10_000_000
MAX_MONTHS = 12
MAX_HOURS = Decimal(20)

WORKPLACES: dict[str, tuple[str, ...]] = {
    "Seniorområdet": ("Plejecenter-Åhaven", "Plejecenter-Vesterled", "Hjemmeplejen-Syd"),
    "Børneområdet": ("Børnehaven-Søstjernen", "Vuggestuen-Mælkebøtten", "Børnehuset-Ådalen"),
    "Skoleområdet": ("Åskolen", "Bakkeskolen", "Fjordskolen"),
    "Socialområdet": ("Botilbud-Møllegården", "Værestedet-Kanten"),
    "Sundhedsområdet": ("Sundhedscentret", "Genoptræningen"),
    "Teknik-og-Miljø": ("Materielgården", "Park-og-Skov", "Genbrugspladsen-Øst"),
    "Kultur-og-Fritid": ("Biblioteket", "Svømmehallen", "Musikskolen"),
    "Borgerservice": ("Borgerservice-Midt", "Lønkontoret"),
}
NOT_ELIGIBLE = "Rådhuskantinen"
END_REASONS = ("ordinary_job", "other_flexjob", "pension", "resigned", "dismissed", "funding_ended", "other")
STEPS = tuple(Decimal(quarters) / 4 for quarters in (-6, -4, -2, 0, 2, 4, 6, 10, 14))
CAUSES_UP = ("capacity_up", "capacity_up", "task_match")
CAUSES_DOWN = ("capacity_down", "capacity_down", "organisational")
# Days until the next job, by why the last one ended: 28 still count as staying in work, 29 do not.
PAUSES = {"other_flexjob": (0, 10), "resigned": (28, 7, 45), "dismissed": (29, 20)}


def plan_year(seed: int, people: int) -> Plan:
    """The year's actions in the order in which they are registered."""
    chance = Random(seed)  # noqa: S311 - a story that can be told again, not a secret
    reasons = itertools.cycle(END_REASONS)
    lives = [action for number in range(people) for action in _life(chance, reasons, number)]
    refused = [action for number in range(people // 8) for action in _refusal(chance, number)]
    told = (action for action in (*_rules(), *_budgets(chance, lives), *lives, *refused))
    # The sort is stable: what one day holds stays in the order of the story, an application before its approval.
    return tuple(sorted((a for a in told if a.registered_on <= LAST_DAY), key=lambda action: action.registered_on))


def _rules() -> Iterator[Action]:
    units = tuple(unit for units in WORKPLACES.values() for unit in units)
    for day, share in ((OPENING_DAY, "0.5"), (NEW_RULES_DAY, "0.6")):
        yield AdoptRules(
            registered_on=day,
            occurred_on=day,
            refund_share=Decimal(share),
            max_weekly_effective_hours=MAX_HOURS,
            max_months=MAX_MONTHS,
            eligible_units=units,
        )


def _budgets(chance: Random, lives: Iterable[Action]) -> Iterator[Action]:
    """Budgets that hold every grant: a whole amount is set aside in each year that a grant touches."""
    story = list(lives)
    amounts = {action.application_id: action.amount_ore for action in story if isinstance(action, Apply)}
    grants = [action for action in story if isinstance(action, CommitGrant)]
    this_year, next_year = _ref(chance), _ref(chance)
    totals = {
        year: sum(amounts[g.application_id] for g in grants if g.period_from.year <= year <= g.period_to.year)
        for year in (2025, 2026)
    }
    whole = {year: (total // ORE_IN_100_000_KR + 1) * ORE_IN_100_000_KR for year, total in totals.items()}
    yield _budget(OPENING_DAY, this_year, 2025, whole[2025])
    yield _budget(OPENING_DAY, next_year, 2026, whole[2026])
    yield _budget(EXTRA_BUDGET_DAY, _ref(chance), 2025, 3 * ORE_IN_100_000_KR)
    yield AdjustBudget(
        registered_on=FINAL_BUDGET_DAY,
        occurred_on=FINAL_BUDGET_DAY,
        budget_id=next_year,
        amount_ore=whole[2026] + 2 * ORE_IN_100_000_KR,
    )


def _budget(day: date, budget_id: UUID, year: int, amount_ore: int) -> Action:
    return AllocateBudget(
        registered_on=day, occurred_on=day, budget_id=budget_id, fiscal_year=year, amount_ore=amount_ore
    )


def _life(chance: Random, reasons: Iterator[str], number: int) -> Iterator[Action]:
    """A person's jobs: every fourth came before the year, every eighth soon has two at once, some move on."""
    person = _ref(chance)
    came_before = number % 4 == 0
    if came_before:
        start = date(2021, 1, 4) + timedelta(days=chance.randrange(1400))
    else:
        start = OPENING_DAY + timedelta(days=chance.randrange(1, 384))
    job = list(_job(chance, reasons, person, _workday(start)))
    yield from job
    if came_before and number % 8 == 0:
        yield from _job(chance, reasons, person, _workday(OPENING_DAY + timedelta(days=chance.randrange(10, 60))))
    last = job[-1]
    if isinstance(last, EndFlexjob) and last.reason_code in PAUSES:
        pause = chance.choice(PAUSES[last.reason_code])
        yield from _job(chance, reasons, person, _workday(last.occurred_on + timedelta(days=pause)))


def _job(chance: Random, reasons: Iterator[str], person: UUID, start: date) -> Iterator[Action]:
    department = chance.choice(tuple(WORKPLACES))
    effective = Decimal(chance.randrange(8, 4 * int(MAX_HOURS))) / 4
    job = StartFlexjob(
        registered_on=_workday(max(start, OPENING_DAY + timedelta(days=chance.randrange(5)))),
        occurred_on=start,
        placement_id=_ref(chance),
        person_ref=person,
        grant_id=_ref(chance) if start > OPENING_DAY + timedelta(days=50) and not _one_in(chance, 5) else None,
        department=department,
        workplace_unit=chance.choice(WORKPLACES[department]),
        attendance_hours_per_week=effective + Decimal(chance.randrange(20)) / 4,
        effective_hours_per_week=effective,
        grant_term="permanent" if _one_in(chance, 3) else "temporary_5y",
        retention=_one_in(chance, 5),
    )
    if job.grant_id:
        yield from _funding(chance, job, job.grant_id)
    yield job
    end = _workday(job.registered_on + timedelta(days=chance.randrange(30, 600)))
    yield from _changes(chance, job, end)
    if end <= LAST_DAY:
        yield EndFlexjob(
            registered_on=_registration(chance, end),
            occurred_on=end,
            placement_id=job.placement_id,
            reason_code=next(reasons),
        )


def _funding(chance: Random, job: StartFlexjob, grant_id: UUID) -> Iterator[Action]:
    """Application, approval and grant before the first day; twelve months from January 2026 would reach 2027."""
    submitted = _workday(job.occurred_on - timedelta(days=chance.randrange(25, 45)))
    decided = _workday(submitted + timedelta(days=chance.randrange(5, 12)))
    committed = _workday(decided + timedelta(days=chance.randrange(5)))
    period_from = job.occurred_on - timedelta(days=14 if _one_in(chance, 6) else 0)
    months = chance.choice((6, 9, MAX_MONTHS) if job.occurred_on <= LAST_DAY else (6, 9))
    application_id = _ref(chance)
    yield Apply(
        registered_on=submitted,
        occurred_on=submitted,
        application_id=application_id,
        department=job.department,
        workplace_unit=job.workplace_unit,
        effective_hours_per_week=job.effective_hours_per_week,
        months=months,
        amount_ore=_half_the_wage(chance, job.effective_hours_per_week, months),
    )
    yield Approve(registered_on=decided, occurred_on=decided, application_id=application_id)
    yield CommitGrant(
        registered_on=committed,
        occurred_on=committed,
        grant_id=grant_id,
        application_id=application_id,
        period_from=period_from,
        period_to=_months_after(period_from, months),
    )


def _changes(chance: Random, job: StartFlexjob, end: date) -> Iterator[Action]:
    """Hours up and down, each time something new, and so far apart that no late registration overtakes another."""
    effective, pauses = job.effective_hours_per_week, job.attendance_hours_per_week - job.effective_hours_per_week
    day = _workday(job.registered_on + timedelta(days=chance.randrange(35, 150)))
    while day < min(end - timedelta(days=25), LAST_DAY):
        step = chance.choice([step for step in STEPS if effective + step >= 1])
        effective += step
        pauses += 0 if step else 1
        yield ChangeHours(
            registered_on=_registration(chance, day),
            occurred_on=day,
            placement_id=job.placement_id,
            attendance_hours_per_week=effective + pauses,
            effective_hours_per_week=effective,
            cause=_cause(chance, step),
        )
        day = _workday(day + timedelta(days=chance.randrange(40, 160)))


def _cause(chance: Random, step: Decimal) -> str:
    if not step:
        return "task_match"
    return chance.choice(CAUSES_UP if step > 0 else CAUSES_DOWN)


def _refusal(chance: Random, number: int) -> Iterator[Action]:
    """An application that the rules exclude, each in another way, and its rejection."""
    department = chance.choice(tuple(WORKPLACES))
    workplace = chance.choice(WORKPLACES[department])
    unit, hours, months, code = (
        (NOT_ELIGIBLE, Decimal(8), 6, "unit_not_eligible"),
        (workplace, MAX_HOURS + Decimal("0.25"), 6, "hours_above_maximum"),
        (workplace, Decimal(10), MAX_MONTHS + 1, "months_above_maximum"),
    )[number % 3]
    submitted = _workday(OPENING_DAY + timedelta(days=chance.randrange(5, 340)))
    decided = _workday(submitted + timedelta(days=chance.randrange(3, 15)))
    application_id = _ref(chance)
    yield Apply(
        registered_on=submitted,
        occurred_on=submitted,
        application_id=application_id,
        department=department,
        workplace_unit=unit,
        effective_hours_per_week=hours,
        months=months,
        amount_ore=_half_the_wage(chance, hours, months),
    )
    yield Reject(registered_on=decided, occurred_on=decided, application_id=application_id, reject_code=code)


def _half_the_wage(chance: Random, hours: Decimal, months: int) -> int:
    wage_ore_per_hour = chance.randrange(14_500, 18_900)
    return int(hours * wage_ore_per_hour * 52 * months / 24)


def _registration(chance: Random, day: date) -> date:
    """The same day, or now and then some days late."""
    return _workday(day + timedelta(days=chance.randrange(2, 12))) if _one_in(chance, 7) else day


def _workday(day: date) -> date:
    """The day, or the Monday after it."""
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])


def _months_after(day: date, months: int) -> date:
    """Calendar months later, clamped to the month's last day."""
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


def _one_in(chance: Random, many: int) -> bool:
    return chance.randrange(many) == 0


def _ref(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)

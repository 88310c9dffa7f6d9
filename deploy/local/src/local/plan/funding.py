"""How a workplace gets money for a flexjob: a need, candidates, an application, its approval, a grant; and refunds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from local.actions.action import Action
from local.actions.pool import (
    AdjustGrant,
    AnnulApproval,
    Apply,
    Approve,
    CommitGrant,
    PostRefund,
    Reject,
    ReleaseGrant,
    ReverseRefund,
    WithdrawApplication,
)
from local.actions.undo import Retract
from local.actions.workplaces import ProposeCandidate, ReportNeed, WithdrawNeed
from local.expected.days import months_after
from local.plan.chance import LAST_DAY, Chance, workday
from local.plan.office import MAX_HOURS, MAX_MONTHS
from local.plan.towns import NOT_ELIGIBLE, Place, Town

TASKS = ("care", "cleaning", "kitchen", "maintenance", "outdoor", "office", "teaching", "transport", "other")
REFUSED_HOURS = Decimal(30)


@dataclass(frozen=True)
class Wanted:
    """A flexjob that a workplace would like to have from a day on."""

    place: Place
    start: date
    hours: Decimal
    months: int

    @property
    def half_the_wage(self) -> int:
        """Half of 165 kr an hour over the months, in øre."""
        return int(self.hours * 16_500 * 52 * self.months / 24)


def need(chance: Chance, wanted: Wanted, candidates: tuple[UUID, ...]) -> tuple[UUID, list[Action]]:
    """A need some weeks ahead, and who was proposed for it."""
    department, unit = wanted.place
    need_id = chance.ref()
    reported = workday(wanted.start - timedelta(days=chance.randint(46, 80)))
    story: list[Action] = [
        ReportNeed(
            registered_on=reported,
            occurred_on=reported,
            need_id=need_id,
            department=department,
            workplace_unit=unit,
            task_codes=tuple(chance.sample(TASKS, chance.randint(1, 3))),
            effective_hours_per_week_from=max(Decimal(2), wanted.hours - 3),
            effective_hours_per_week_to=wanted.hours + 2,
        )
    ]
    for person in candidates:
        day = chance.workday_after(reported, 1, 12)
        story.append(ProposeCandidate(registered_on=day, occurred_on=day, need_id=need_id, person_ref=person))
    return need_id, story


def grant(chance: Chance, wanted: Wanted, need_id: UUID | None) -> tuple[UUID, list[Action]]:
    """Application, approval and grant before the first day; now and then adjusted before that, too."""
    submitted = workday(wanted.start - timedelta(days=chance.randint(25, 40)))
    decided = chance.workday_after(submitted, 3, 8)
    committed = chance.workday_after(decided, 0, 4)
    period_from = wanted.start - timedelta(days=14 if chance.one_in(6) else 0)
    asked = _apply(chance, submitted, wanted, need_id)
    grant_id = chance.ref()
    story: list[Action] = [
        asked,
        Approve(registered_on=decided, occurred_on=decided, application_id=asked.application_id),
        CommitGrant(
            registered_on=committed,
            occurred_on=committed,
            grant_id=grant_id,
            application_id=asked.application_id,
            period_from=period_from,
            period_to=months_after(period_from, wanted.months),
        ),
    ]
    if chance.one_in(8):
        story.append(_adjusted(chance, grant_id, wanted, committed, period_from))
    return grant_id, story


def _adjusted(chance: Chance, grant_id: UUID, wanted: Wanted, committed: date, period_from: date) -> Action:
    """A little less money, and sometimes a month less of it."""
    day = chance.workday_after(committed, 1, 5)
    return AdjustGrant(
        registered_on=day,
        occurred_on=day,
        grant_id=grant_id,
        amount_ore=wanted.half_the_wage * 9 // 10,
        period_from=period_from,
        period_to=months_after(period_from, wanted.months - chance.randrange(2)),
    )


def _apply(chance: Chance, day: date, wanted: Wanted, need_id: UUID | None) -> Apply:
    department, unit = wanted.place
    return Apply(
        registered_on=day,
        occurred_on=day,
        application_id=chance.ref(),
        need_id=need_id,
        department=department,
        workplace_unit=unit,
        effective_hours_per_week=wanted.hours,
        months=wanted.months,
        amount_ore=wanted.half_the_wage,
    )


def refunds(chance: Chance, grant_id: UUID, wanted: Wanted, end: date) -> Iterator[Action]:
    """A whole month's wage or two; one in nine is mistyped, and reversed or taken back."""
    first = months_after(wanted.start.replace(day=1), 1)
    for number in range(chance.randint(1, 2)):
        month, after = months_after(first, number), months_after(first, number + 1)
        if after > min(end, LAST_DAY):
            return
        booked = chance.workday_after(after, 7, 14)
        # Less than was asked for: refunds must fit into what a short job keeps of its grant.
        wage = wanted.half_the_wage * 2 // wanted.months * 7 // 10
        if chance.one_in(9):
            wrong = _refund(chance, grant_id, booked, month, wage // 2)
            yield wrong
            booked = chance.workday_after(booked, 2, 20)
            yield _undone(chance, wrong, booked)
        yield _refund(chance, grant_id, booked, month, wage)


def _refund(chance: Chance, grant_id: UUID, day: date, month: date, wage_ore: int) -> PostRefund:
    return PostRefund(
        registered_on=day,
        occurred_on=day,
        refund_id=chance.ref(),
        grant_id=grant_id,
        payroll_month=f"{month:%Y-%m}",
        wage_ore=wage_ore,
    )


def _undone(chance: Chance, refund: PostRefund, day: date) -> Action:
    """Reversed when it was paid out, and taken back when it never was."""
    if chance.one_in(2):
        return Retract(registered_on=day, action=refund, reason_code="never_happened")
    return ReverseRefund(registered_on=day, occurred_on=day, refund_id=refund.refund_id, reason_code="wage_corrected")


def in_vain(chance: Chance, town: Town, number: int) -> Iterator[Action]:
    """What a workplace asks for and does not get, or not use, each time for another reason."""
    start = chance.workday_after(date(2025, 3, 25), 0, 266)
    wanted = Wanted(town.place(chance), start, Decimal(chance.randint(8, 60)) / 4, chance.choice((6, 9)))
    match number % 6:
        case 0:
            unit = Wanted((NOT_ELIGIBLE, NOT_ELIGIBLE), start, wanted.hours, 6)
            yield from _rejected(chance, unit, "unit_not_eligible")
        case 1:
            yield from _rejected(chance, Wanted(wanted.place, start, REFUSED_HOURS, 6), "hours_above_maximum")
        case 2:
            long = Wanted(wanted.place, start, Decimal(MAX_HOURS) / 2, MAX_MONTHS + 1)
            yield from _rejected(chance, long, "months_above_maximum")
        case 3:
            yield from _withdrawn(chance, wanted)
        case 4:
            yield from _annulled(chance, wanted)
        case _:
            yield from _released(chance, wanted)


def _rejected(chance: Chance, wanted: Wanted, code: str) -> Iterator[Action]:
    asked = _apply(chance, workday(wanted.start - timedelta(days=40)), wanted, None)
    decided = chance.workday_after(asked.occurred_on, 3, 15)
    yield asked
    yield Reject(registered_on=decided, occurred_on=decided, application_id=asked.application_id, reject_code=code)


def _withdrawn(chance: Chance, wanted: Wanted) -> Iterator[Action]:
    """The need is gone, and the application with it."""
    need_id, story = need(chance, wanted, (chance.ref(),))
    yield from story
    asked = _apply(chance, workday(wanted.start - timedelta(days=25)), wanted, need_id)
    yield asked
    day = chance.workday_after(asked.occurred_on, 2, 9)
    yield WithdrawApplication(registered_on=day, occurred_on=day, application_id=asked.application_id)
    reason = chance.choice(("filled_otherwise", "tasks_gone", "no_funding"))
    yield WithdrawNeed(registered_on=day, occurred_on=day, need_id=need_id, reason_code=reason)


def _annulled(chance: Chance, wanted: Wanted) -> Iterator[Action]:
    asked = _apply(chance, workday(wanted.start - timedelta(days=40)), wanted, None)
    approved = chance.workday_after(asked.occurred_on, 3, 9)
    annulled = chance.workday_after(approved, 10, 40)
    yield asked
    yield Approve(registered_on=approved, occurred_on=approved, application_id=asked.application_id)
    yield AnnulApproval(
        registered_on=annulled, occurred_on=annulled, application_id=asked.application_id, reason_code="not_used"
    )


def _released(chance: Chance, wanted: Wanted) -> Iterator[Action]:
    """Nobody came: before the period it all goes back, and within it what is left of the days."""
    grant_id, story = grant(chance, wanted, None)
    yield from story
    day = chance.workday_after(wanted.start, -5, 40)
    yield ReleaseGrant(registered_on=day, occurred_on=day, grant_id=grant_id)

"""The municipality as a workplace: each department counted at every month's end, and managers told of flexjobs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from local.actions.action import Action
from local.actions.undo import Correct, Retract
from local.actions.workplaces import HoldAwarenessSession, TakeSnapshot
from local.plan.chance import MONTH_ENDS, OPENING_DAY, Chance, workday
from local.plan.towns import Town

STAFF_OF_A_WORKPLACE = 65


def counted(chance: Chance, town: Town, department: str) -> Iterator[Action]:
    """Payroll counts the department on New Year's Eve and at every month's end; now and then wrongly."""
    people = STAFF_OF_A_WORKPLACE * len(town.workplaces[department]) + chance.randrange(40)
    for day in (OPENING_DAY - timedelta(days=2), *MONTH_ENDS):
        people += chance.randint(-4, 5)
        taken = TakeSnapshot(
            registered_on=workday(max(day + timedelta(days=1), OPENING_DAY)),
            occurred_on=day,
            department=department,
            headcount=people,
            fte=people * Decimal("0.82") + Decimal(chance.randrange(400)) / 100,
            trainee_headcount=people * chance.randint(4, 8) // 100,
            wage_subsidy_headcount=chance.randrange(6),
        )
        yield taken
        if chance.one_in(9):
            yield from _counted_again(chance, taken)


def _counted_again(chance: Chance, taken: TakeSnapshot) -> Iterator[Action]:
    """Some were counted twice; once in a while they were not, after all."""
    day = chance.workday_after(taken.registered_on, 8, 60)
    correction = Correct(
        registered_on=day,
        action=taken,
        reason_code="registration_error",
        values=(("headcount", taken.headcount - chance.randint(3, 9)), ("fte", taken.fte - 3)),
    )
    yield correction
    if chance.one_in(4):
        day = chance.workday_after(day, 5, 30)
        yield Retract(registered_on=day, action=correction, reason_code="never_happened")


def told(chance: Chance, town: Town, number: int) -> Iterator[Action]:
    """A session for the managers of a few workplaces; one in eight is entered twice."""
    day = chance.workday_after(OPENING_DAY, 14, 340)
    session = HoldAwarenessSession(
        registered_on=day,
        occurred_on=day,
        session_id=chance.ref(),
        workplaces=tuple(chance.sample(town.places, chance.randint(2, 6))),
        managers=chance.randint(4, 40),
    )
    yield session
    if number % 8 == 0:
        again = replace(session, session_id=chance.ref())
        yield again
        noticed = chance.workday_after(day, 10, 60)
        yield Retract(registered_on=noticed, action=again, reason_code="double_entry")

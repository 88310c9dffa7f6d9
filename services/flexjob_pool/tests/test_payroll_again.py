"""What payroll told before, told otherwise, whatever was registered meanwhile; on a real database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.wire import read, seal
from contracts.event import Event
from contracts.payroll import EmploymentEnded, WorkingTimeChanged
from contracts.platform import EventRetracted
from flexjob_pool import at_the_doors, payroll
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.requests.ask import Ask
from flexjob_pool.requests.budgets import AdjustBudget
from flexjob_pool.requests.flexjobs import ChangeHours
from flexjob_pool.requests.grants import ReleaseGrant
from flexjob_pool.store import lists
from flexjob_pool.store import payroll as store
from flexjob_pool.store.payroll import Outcome
from flexjob_pool.sweep import Sweep

FIRST, GRANTED = date(2026, 7, 1), 1000


class Payroll:
    """A payroll system, a caseworker, and the flexjobs of one person."""

    def __init__(self, office: Any) -> None:
        self.office = office
        self.person, self.employment, self.placement = uuid4(), uuid4(), uuid4()
        self.at = 0

    async def tell(self, id: str, event: Event, *, corrects: str | None = None) -> None:  # noqa: A002
        """Take in a message; each is registered a minute after the one before."""
        self.at += 1
        sealed = seal(
            event.model_copy(update={"reason_code": "registration_error"}) if corrects else event,
            municipality="621",
            producer="gateway",
            source="urn:kraftcenter:621:sd_loen",
            id=id,
            time=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=self.at),
            corrects=corrects,
        )
        await self.office.act(
            lambda desk: payroll.take(
                desk.db, read(sealed.body), municipality=desk.municipality, calendar=desk.calendar
            )
        )

    def paid(self, first: str, rate: str, end: str | None = None, **other: UUID) -> WorkingTimeChanged:
        return WorkingTimeChanged(
            occurred_on=date.fromisoformat(first),
            ends_on=end and date.fromisoformat(end),
            occupation_rate=Decimal(rate),
            **self._who(other),
        )

    def ended(self, day: str, **other: UUID) -> EmploymentEnded:
        return EmploymentEnded(occurred_on=date.fromisoformat(day), **self._who(other))

    def _who(self, other: dict[str, UUID]) -> dict[str, Any]:
        who = {"employment_ref": self.employment, "placement_id": self.placement, "person_ref": self.person}
        return who | other

    async def at_the_door(self, about: UUID, ask: Ask) -> None:
        await self.office.act(lambda desk: at_the_doors.register(desk, about, ask))

    async def start(self, placement: UUID | None = None, **values: Any) -> UUID:
        """A flexjob from 1 July 2026, with 8 hours; the first one is the one that payroll names."""
        placement = placement or self.placement
        await self.at_the_door(placement, self.office.start(FIRST, **{"person_ref": self.person, **values}))
        return placement

    async def granted(self, amount_ore: int = GRANTED) -> UUID:
        """A grant over the year's last six months, committed today."""
        application_id, grant_id = await self.office.approved(amount_ore), uuid4()
        day = self.office.calendar.today()
        await self.at_the_door(grant_id, self.office.commitment(application_id, FIRST, date(2027, 1, 1), day))
        return grant_id

    async def flexjob(self, placement: UUID | None = None) -> Flexjob:
        async with self.office.pool.acquire() as db:
            found = await lists.find(db, Flexjob.noun, str(placement or self.placement))
        assert isinstance(found, Flexjob)
        return found

    async def hours(self) -> list[tuple[str, str]]:
        return [(f"{each.occurred_on}", f"{each.effective_hours_per_week}") for each in (await self.flexjob()).hours]

    async def outcome(self, employment: UUID | None = None) -> Outcome:
        ref = employment or self.employment
        async with self.office.pool.acquire() as db:
            return (await store.outcomes(db, [ref]))[ref]

    async def concerned(self) -> list[UUID]:
        """The placements that the last event of the pool concerns."""
        *_, last = await self.office.told()
        async with self.office.pool.acquire() as db:
            return await store.concerned(db, [last["id"]])

    async def status(self, employment: UUID | None = None) -> tuple[str, Sequence[str]]:
        outcome = await self.outcome(employment)
        return outcome.status, [reason.code for reason in outcome.why]


@pytest.fixture
def system(office: Any) -> Payroll:
    return Payroll(office)


def never(event_id: str) -> EventRetracted:
    return EventRetracted(event_id=event_id, reason_code="never_happened")


def change(day: str) -> ChangeHours:
    return ChangeHours.model_validate(
        {
            "occurred_on": day,
            "attendance_hours_per_week": "12",
            "effective_hours_per_week": "9",
            "cause": "capacity_up",
        }
    )


async def test_an_end_moves_to_before_what_a_caseworker_registered_since_and_what_was_stated_of_it_stays(
    system: Payroll,
) -> None:
    await system.start()
    await system.tell("end", system.ended("2026-12-01"))
    await system.at_the_door(system.placement, change("2026-10-01"))
    [end] = await system.office.told("flexjob.ended")
    stated = {"reason_code": "pension"}
    await system.office.act(lambda desk: at_the_doors.correct(desk, UUID(end["id"]), "late_information", stated))
    await system.tell("sooner", system.ended("2026-09-01"), corrects="end")
    flexjob = await system.flexjob()
    assert (flexjob.ended_on, flexjob.ended_by, flexjob.reason_code) == (
        date(2026, 9, 1),
        system.employment,
        "pension",
    )
    assert await system.status() == ("applied", [])
    told = await system.office.told()
    assert [event["causationid"] for event in told[-2:]] == ["sooner", "sooner"]
    assert told[-1]["data"]["event_id"] == end["id"]


async def test_an_end_that_moves_needs_no_money_that_it_gave_back(system: Payroll) -> None:
    await system.office.rules()
    await system.office.budget(2026, GRANTED)
    await system.start(grant_id=await system.granted())
    await system.tell("end", system.ended("2026-12-01"))
    await system.at_the_door(system.placement, change("2026-10-01"))
    await system.granted(GRANTED // 10)
    await system.tell("sooner", system.ended("2026-09-01"), corrects="end")
    assert (await system.flexjob()).ended_on == date(2026, 9, 1)
    assert await system.status() == ("applied", [])


async def test_an_end_moves_farther_ahead_than_was_possible_when_it_was_told_first(system: Payroll) -> None:
    await system.start()
    await system.tell("end", system.ended("2026-12-01"))
    system.office.later(300)
    await system.tell("later", system.ended("2028-12-01"), corrects="end")
    assert (await system.flexjob()).ended_on == date(2028, 12, 1)
    assert await system.status() == ("applied", [])


async def test_a_match_holds_also_when_nothing_was_in_force(system: Payroll) -> None:
    right, wrong = await system.start(uuid4()), system.placement
    await system.tell("gone", system.paid("2026-08-01", "0.5", placement_id=wrong))
    await system.tell("never", never("gone"))
    await system.office.act(lambda desk: payroll.match(desk, system.employment, right))
    await system.tell("again", system.paid("2026-08-01", "0.5", placement_id=wrong))
    outcome = await system.outcome()
    assert (outcome.placement_id, outcome.status) == (right, "applied")


async def test_money_that_payroll_gives_back_lets_another_registration_be_tried_again(system: Payroll) -> None:
    await system.office.rules()
    await system.office.budget(2026, 2 * GRANTED)
    await system.start(grant_id=await system.granted())
    other, employment = await system.start(uuid4(), grant_id=await system.granted()), uuid4()
    await system.tell("end", system.ended("2026-07-01"))
    await system.granted()
    await system.tell("on", never("end"))
    assert await system.status() == ("refused", ["budget-exceeded"])
    await system.tell("other", system.ended("2026-07-01", employment_ref=employment, placement_id=other))
    assert (await system.flexjob()).ended_on is None
    assert await system.status() == ("not_in_force", [])


async def test_what_could_not_be_taken_back_at_the_former_flexjob_is_shown_and_tried_again(system: Payroll) -> None:
    await system.office.rules()
    budget = await system.office.budget(2026, GRANTED + 100)
    await system.start(grant_id=await system.granted())
    other = await system.start(uuid4())
    await system.tell("end", system.ended("2026-07-01"))
    # What the end gave back is spent.
    await system.granted()
    await system.office.act(lambda desk: payroll.match(desk, system.employment, other))
    assert await system.status() == ("refused", ["budget-exceeded"])
    await system.tell("later", system.ended("2026-07-02"), corrects="end")
    assert (await system.outcome()).left_at == (system.placement,)
    await system.at_the_door(budget, AdjustBudget(occurred_on=date(2026, 1, 1), amount_ore=2 * GRANTED))
    assert (await system.flexjob()).ended_on is None
    assert (await system.flexjob(other)).ended_on == date(2026, 7, 2)
    assert await system.status() == ("applied", [])
    assert (await system.outcome()).left_at == ()


async def test_what_was_refused_is_tried_again_when_money_moves_and_not_whenever_a_grant_is_looked_at(
    system: Payroll,
) -> None:
    await system.office.rules()
    await system.office.budget(2026, 2 * GRANTED)
    await system.start(grant_id=await system.granted())
    await system.tell("end", system.ended("2026-07-01"))
    paying, idle = await system.granted(), await system.granted(GRANTED // 2)
    await system.tell("on", never("end"))
    assert await system.status() == ("refused", ["budget-exceeded"])

    await system.start(uuid4(), grant_id=paying)
    assert await system.concerned() == []
    await system.office.ask(idle, ReleaseGrant(occurred_on=FIRST))
    assert await system.concerned() == [system.placement]


async def test_an_interval_that_ends_far_ahead_falls_back_when_its_end_is_nearer(system: Payroll) -> None:
    await system.start()
    await system.tell("long", system.paid("2026-08-01", "0.5", "2029-08-01"))
    assert await system.hours() == [("2026-07-01", "8.00"), ("2026-08-01", "18.50")]
    sweep = Sweep("621", system.office.calendar, every=1)
    await sweep.sweep(system.office.pool)
    system.office.later(600)
    await sweep.sweep(system.office.pool)
    assert await system.hours() == [("2026-07-01", "8.00"), ("2026-08-01", "18.50"), ("2029-08-01", "8.00")]

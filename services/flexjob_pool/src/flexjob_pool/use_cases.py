"""What a caseworker can have done: lock, decide, save, append; state and events stand or fall in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

from chassis import outbox
from chassis.calendar import Calendar
from chassis.database import Connection
from chassis.wire import seal
from contracts.event import DatedEvent
from contracts.flexjob_pool import (
    ApplicationSubmitted,
    BudgetAllocated,
    FlexjobEnded,
    FlexjobHoursChanged,
    FlexjobStarted,
    GrantCommitted,
    RulesAdopted,
)
from flexjob_pool import requests, store
from flexjob_pool.domain import applications, flexjobs, grants
from flexjob_pool.domain.refusals import ApplicationUnknown, GrantExists, NotRegistered
from flexjob_pool.domain.validity import check_reach
from flexjob_pool.ids import time_ordered_ids

PRODUCER = "flexjob_pool"

event_ids = time_ordered_ids()

T = TypeVar("T")


Resource = applications.Rules | grants.Budget | applications.Application | grants.Grant | flexjobs.Flexjob


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a decision is taken: inside one transaction, by one calendar, for one municipality."""

    db: Connection
    municipality: str
    calendar: Calendar

    async def record(self, events: Sequence[DatedEvent]) -> list[str]:
        """Save what the events say and put them into the outbox; their ids. Call it with what they concern locked."""
        # Only under the lock is the order of instants and ids the order in which the decisions were taken.
        now = self.calendar.now()
        sealed = [
            seal(event, municipality=self.municipality, producer=PRODUCER, id=str(next(event_ids)), time=now)
            for event in events
        ]
        for event in events:
            await store.save(event, self.db)
        # How long an event waits for the bus is a matter of real time, whatever day the calendar says it is.
        await outbox.append(self.db, sealed, now=datetime.now(UTC))
        return [one.id for one in sealed]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: the resource as it stands now, and the events that tell of it."""

    resource: Resource
    event_ids: list[str]


async def adopt_rules(desk: Desk, ask: requests.AdoptRules) -> Recorded:
    """Adopt the next version of the rules."""
    await store.claim(desk.db, "rules")
    versions = await store.list_rules(desk.db)
    adopted = RulesAdopted(rules_version=applications.next_version(versions), **dict(ask))
    event_ids = await desk.record([adopted])
    return Recorded((await store.list_rules(desk.db))[-1], event_ids)


async def allocate_budget(desk: Desk, ask: requests.AllocateBudget) -> Recorded:
    """Set a budget's total, of a new budget or of one that is named again."""
    budget_id = ask.budget_id or uuid4()
    await store.claim(desk.db, f"budget {budget_id}")
    await store.lock_years(desk.db, [ask.fiscal_year])
    free = await store.free_from(desk.db, [ask.fiscal_year], ask.occurred_on)
    asked = BudgetAllocated(**{**dict(ask), "budget_id": budget_id})
    budget = await store.find_budget(desk.db, budget_id)
    event_ids = await desk.record(grants.allocate_budget(budget, free[ask.fiscal_year], asked))
    return Recorded(known(await store.find_budget(desk.db, budget_id)), event_ids)


async def apply(desk: Desk, ask: requests.Apply) -> Recorded:
    """Ask the pool for money."""
    application_id = ask.application_id or uuid4()
    await store.claim(desk.db, f"application {application_id}")
    asked = ApplicationSubmitted(**{**dict(ask), "application_id": application_id})
    existing = await store.find_application(desk.db, application_id)
    event_ids = await desk.record(applications.apply(existing, asked))
    return Recorded(known(await store.find_application(desk.db, application_id)), event_ids)


async def approve(desk: Desk, application_id: UUID, ask: requests.Approve) -> Recorded:
    """Say yes under the rules of the day."""
    application = known(await store.lock_application(desk.db, application_id))
    versions = await store.list_rules(desk.db)
    event_ids = await desk.record(applications.approve(application, versions, ask.occurred_on))
    return Recorded(known(await store.find_application(desk.db, application_id)), event_ids)


async def reject(desk: Desk, application_id: UUID, ask: requests.Reject) -> Recorded:
    """Say no under the rules of the day."""
    application = known(await store.lock_application(desk.db, application_id))
    versions = await store.list_rules(desk.db)
    event_ids = await desk.record(applications.reject(application, versions, ask.occurred_on, ask.reject_code))
    return Recorded(known(await store.find_application(desk.db, application_id)), event_ids)


async def commit_grant(desk: Desk, ask: requests.CommitGrant) -> Recorded:
    """Reserve the approved amount in the budgets of the fiscal years that the period touches."""
    check_reach(desk.calendar.today(), period_from=ask.period_from)
    grant_id = ask.grant_id or uuid4()
    await store.claim(desk.db, f"grant {grant_id}")
    if await store.find_grant(desk.db, grant_id):
        raise GrantExists
    application = await store.lock_application(desk.db, ask.application_id)
    if application is None:
        raise ApplicationUnknown
    allocations = grants.allocations_of(application, ask.period_from, ask.period_to)
    years = [part.fiscal_year for part in allocations]
    await store.lock_years(desk.db, years)
    asked = GrantCommitted(
        **{**dict(ask), "grant_id": grant_id}, amount_ore=application.amount_ore, allocations=allocations
    )
    free = await store.free_from(desk.db, years, ask.occurred_on)
    event_ids = await desk.record(grants.commit_grant(application, free, asked))
    return Recorded(known(await store.find_grant(desk.db, grant_id)), event_ids)


async def start_flexjob(desk: Desk, ask: requests.StartFlexjob) -> Recorded:
    """Start a flexjob, with or without a grant."""
    placement_id = ask.placement_id or uuid4()
    await store.claim(desk.db, f"placement {placement_id}")
    existing = await store.find_flexjob(desk.db, placement_id)
    grant = await store.lock_grant(desk.db, ask.grant_id) if ask.grant_id else None
    asked = FlexjobStarted(**{**dict(ask), "placement_id": placement_id})
    event_ids = await desk.record(flexjobs.start_flexjob(existing, grant, asked))
    return Recorded(known(await store.find_flexjob(desk.db, placement_id)), event_ids)


async def change_hours(desk: Desk, placement_id: UUID, ask: requests.ChangeHours) -> Recorded:
    """Set new hours from a date."""
    flexjob = known(await store.lock_flexjob(desk.db, placement_id))
    asked = FlexjobHoursChanged(placement_id=placement_id, person_ref=flexjob.person_ref, **dict(ask))
    event_ids = await desk.record(flexjobs.change_hours(flexjob, asked))
    return Recorded(known(await store.find_flexjob(desk.db, placement_id)), event_ids)


async def end_flexjob(desk: Desk, placement_id: UUID, ask: requests.EndFlexjob) -> Recorded:
    """End a flexjob and release its grant."""
    flexjob = known(await store.lock_flexjob(desk.db, placement_id))
    grant = await store.lock_grant(desk.db, flexjob.grant_id) if flexjob.grant_id else None
    if grant:
        await store.lock_years(desk.db, [part.fiscal_year for part in grant.allocations])
    asked = FlexjobEnded(
        placement_id=placement_id, person_ref=flexjob.person_ref, grant_id=flexjob.grant_id, **dict(ask)
    )
    event_ids = await desk.record(flexjobs.end_flexjob(flexjob, grant, asked, today=desk.calendar.today()))
    return Recorded(known(await store.find_flexjob(desk.db, placement_id)), event_ids)


def known(found: T | None) -> T:
    """What was found. Raises NotRegistered for nothing."""
    if found is None:
        raise NotRegistered
    return found

"""What a caseworker can have done, whatever it is: lock, decide, save, append, all in the caller's transaction."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from chassis import outbox
from chassis.calendar import Calendar
from chassis.database import Connection
from chassis.wire import seal
from contracts.event import DatedEvent, Event
from flexjob_pool.domain.case import Case, Resource
from flexjob_pool.domain.flexjobs import Flexjob
from flexjob_pool.domain.refusals import NothingChanges, refuse
from flexjob_pool.domain.refusals.money import BudgetExceeded
from flexjob_pool.domain.reviews import calls
from flexjob_pool.domain.rulebook import decide, evolve, idle, needed
from flexjob_pool.ids import time_ordered_ids
from flexjob_pool.requests.ask import MONEY, Ask
from flexjob_pool.store import cases, decisions
from flexjob_pool.store.decisions import Row
from flexjob_pool.store.documents import name_of, names_of
from flexjob_pool.store.locks import Locks, with_all_locks

PRODUCER = "flexjob_pool"

event_ids = time_ordered_ids()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a decision is taken: inside one transaction, by one calendar, for one municipality."""

    db: Connection
    municipality: str
    calendar: Calendar
    locks: Locks


@dataclass(frozen=True, slots=True)
class Emission:
    """An event about to go out, and the ids that tie it to others."""

    id: UUID
    event: Event
    corrects: UUID | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: the resource as it stands now, and the ids of all events that tell of it."""

    resource: Resource
    event_ids: list[str]


async def at_a_desk(db: Connection, municipality: str, calendar: Calendar, act: Callable[[Desk], Awaitable[T]]) -> T:
    """Act in a transaction, or in a part of one that has locked nothing of a case before."""

    async def attempt(locks: Locks) -> T:
        async with db.transaction():
            return await act(Desk(db, municipality, calendar, locks))

    return await with_all_locks(attempt)


async def register(desk: Desk, about: UUID | str, ask: Ask, *, cause: str | None = None) -> Recorded:
    """Decide on what is asked about a resource, and keep what comes of it. Raises the refusal of the rules.

    `about` is empty for what the rules number themselves; `cause` is the id of the event that the registration follows.
    """
    names = {name_of(ask.noun, about)} | names_of(needed(about, ask))
    case = await open_case(desk, names, ask.beside)
    event_ids = await decide_in(desk, case, str(about), ask, cause=cause)
    changed = [*case.changed.values()]
    resource = next(one for one in changed if one.noun == ask.noun)
    event_ids += await follow_up(desk, case, changed, cause=event_ids[0])
    return Recorded(case.known(type(resource), resource.key), event_ids)


async def open_case(desk: Desk, names: Collection[str], beside: Collection[str] = ()) -> Case:
    """Resources by name with all that they link to, locked, and what is shared beside them."""
    await desk.locks.take(desk.db, beside, reaching=names)
    found = await cases.fetch(desk.db, names)
    await desk.locks.take(desk.db, found.names)  # a link may have come while we waited
    return Case(found.resources, rules=found.rules, municipality=desk.municipality, today=desk.calendar.today())


async def decide_in(desk: Desk, case: Case, about: str, ask: Ask, *, cause: str | None = None) -> list[str]:
    """Take one decision in an open case and keep what comes of it; the ids of its events, none when nothing does."""
    case.settle()
    events = decide(about, ask, case)
    if idle(about, ask, case):
        raise NothingChanges
    if not events:
        return []
    for event in events:
        evolve(event, case)
    emissions = [Emission(next(event_ids), event) for event in events]
    # Only under the locks is the order of instants and ids the order in which decisions are taken.
    now = desk.calendar.now()
    about = about or next(key for noun, key in case.changed if noun == ask.noun)
    names = names_of(case.looked_at)
    await decisions.record(desk.db, ask, about, registered_on=case.today, names=names, rows=_rows(emissions, ask, now))
    await cases.put(desk.db, case.changed.values())
    if ask.beside >= MONEY:
        await balance(desk, case.changed.values())
    await emit(desk, emissions, now, cause=cause)
    return [str(emission.id) for emission in emissions]


def _rows(emissions: Sequence[Emission], ask: Ask, now: datetime) -> list[Row]:
    return [
        Row(emission.id, emission.event, now, ask=None if number else ask)
        for number, emission in enumerate(emissions)
        if isinstance(emission.event, DatedEvent)
    ]


async def balance(desk: Desk, resources: Iterable[Resource], *, gone: Collection[str] = ()) -> None:
    """Let budgets and grants move the years' money as they stand, and those gone no more; the caller holds `money`.

    Raises BudgetExceeded for each year that would be overdrawn on any day.
    """
    overdrawn = await cases.move(desk.db, resources, gone=gone)
    refuse(BudgetExceeded(fiscal_year=year) for year in overdrawn)


async def emit(desk: Desk, emissions: Sequence[Emission], now: datetime, *, cause: str | None = None) -> None:
    """Put events into the outbox; all but the first follow from it, which may have a cause of its own."""
    causes = [cause, *[str(emissions[0].id)] * (len(emissions) - 1)]
    sealed = [
        seal(
            emission.event,
            municipality=desk.municipality,
            producer=PRODUCER,
            id=str(emission.id),
            time=now,
            corrects=str(emission.corrects) if emission.corrects else None,
            causationid=because,
        )
        for emission, because in zip(emissions, causes, strict=True)
    ]
    # How long an event waits for the bus is a matter of real time, whatever day the calendar says it is.
    await outbox.append(desk.db, sealed, now=datetime.now(UTC))


async def follow_up(desk: Desk, case: Case, changed: Iterable[Resource], *, cause: str | None = None) -> list[str]:
    """What resources that changed call for by themselves, which is the reviews of flexjobs; the ids of the events."""
    event_ids: list[str] = []
    for flexjob in [one for one in changed if isinstance(one, Flexjob)]:
        for review_id, ask in calls(flexjob, desk.calendar.today()):
            event_ids += await decide_in(desk, case, str(review_id), ask, cause=cause)
    return event_ids

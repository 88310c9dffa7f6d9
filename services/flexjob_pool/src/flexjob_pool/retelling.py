"""Resources are the story retold: where they are not there, they are told from the events in force."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from chassis.database import Connection, Pool
from contracts.event import DatedEvent
from flexjob_pool.domain.case import Case
from flexjob_pool.domain.refusals import Refusal
from flexjob_pool.domain.rulebook import decide, evolve
from flexjob_pool.domain.story import Decision, says_the_same
from flexjob_pool.store import cases, decisions
from flexjob_pool.store.locks import Locks

LOCK = "story"


async def tell_resources(pool: Pool, municipality: str) -> None:
    """Fill an empty table of resources. A migration that changes what is in one empties it, and need do no more."""
    async with pool.acquire() as db, db.transaction():
        await Locks().take(db, [LOCK])
        if not await cases.is_told(db):
            resources = (await retold(db, municipality)).changed.values()
            await cases.put(db, resources)
            await cases.move(db, resources)


async def retold(db: Connection, municipality: str) -> Case:
    """Everything as the events in force tell it, whatever the rules would say today."""
    story = await decisions.whole_story(db)
    events: dict[int, list[DatedEvent]] = defaultdict(list)
    for version in story.versions:
        events[version.decision].append(version.event)
    case = Case(municipality=municipality, today=date.min)
    for decision in story.decisions:
        case.today = decision.registered_on
        for event in _as_decided(decision, events[decision.position], case):
            evolve(event, case)
    return case


def _as_decided(decision: Decision, told: Sequence[DatedEvent], case: Case) -> Sequence[DatedEvent]:
    """The events as the rules make them, which may know more than the bus is told, if they still make the same."""
    try:
        decided = decide(decision.about, decision.ask, case)
    except Refusal:
        return told
    return decided if says_the_same(told, decided) else told

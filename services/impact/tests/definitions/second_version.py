"""A lane that takes in a second version of a measure while it goes on, and what it answers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.entries.flexjobs import F1, PERSONS_IN_FLEXJOB
from impact.entries.workforce import HEADCOUNT
from impact.figures import ask
from impact.fold import Effect, Fact, Measure
from impact.indicator import Indicator
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.rebuild import Gate, bring_into_force, compare
from impact.store.figures import definitions_of, figure_at, known, snapshot
from impact.verify.watch import verify_once
from impact.versions import entry_at, entry_of_version

EXAMPLES = Path(__file__).parents[4] / "contracts" / "examples"
LANE = Stream("621", "flexjob_pool")
CLOCK = SystemCalendar()
MEASURES = measures_of(INDICATORS)
TODAY = date(2026, 6, 30)
REGISTERED = datetime(2026, 6, 1, tzinfo=UTC)


def told(name: str, day: str, **data: object) -> Event:
    """An event as its published example has it, but for what is said here; names become ids."""
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    ids = {key: str(uuid5(UUID(int=0), str(data[key]))) for key in data if key.endswith(("_id", "_ref"))}
    return BY_TYPE[message["type"]].model_validate({**message["data"], "occurred_on": day, **data, **ids})


def started(person: str, day: str) -> Event:
    return told("flexjob.started", day, person_ref=person, placement_id=f"job of {person}", department="Senior")


LIFE = (
    told("workforce.snapshot_taken", "2026-01-01", department="Senior", headcount=100),
    started("Anna", "2026-02-01"),
    started("Bo", "2026-03-01"),
)
LATER = (started("Cilla", "2026-04-01"),)


def twice(facts: Sequence[Fact]) -> Iterable[Effect]:
    """Another way to count persons in flexjobs: everybody counts as two."""
    return [effect._replace(amount=2 * effect.amount) for effect in PERSONS_IN_FLEXJOB.rule(facts)]


def unable(facts: Sequence[Fact]) -> Iterable[Effect]:
    """A rule that does not take what was admitted long ago."""
    raise ZeroDivisionError(len(facts))


SECOND = replace(PERSONS_IN_FLEXJOB, version=2, rule=twice)
F1_SECOND = replace(F1, definition_version=2, numerator=SECOND)
BOTH = (F1, F1_SECOND)
WITH_SECOND = (*MEASURES, SECOND)
CATALOGUE_WITH_SECOND = (*INDICATORS, F1_SECOND)
# What the program knew before it learned of E1.
BEFORE_E1 = tuple(measure for measure in MEASURES if measure is not HEADCOUNT)


async def bring_in(pool: Pool, events: Sequence[Event], measures: Sequence[Measure], *, after: int = 0) -> int:
    batch = [Delivery(LANE.name, number, {}, sealed(event, number)) for number, event in enumerate(events, after + 1)]
    return await ingest(pool, LANE, batch, measures=measures, calendar=CLOCK)


def sealed(event: Event, number: int) -> bytes:
    return seal(event, municipality="621", producer="flexjob_pool", time=REGISTERED, id=f"e{number}").body


async def open_gate(_: Connection) -> int:
    return 0


async def put_in_force(pool: Pool, measures: Sequence[Measure], gate: Gate = open_gate) -> None:
    await bring_into_force(pool, "621", measures, calendar=CLOCK, gate=gate)


async def in_force(pool: Pool) -> dict[tuple[str, int], int]:
    async with snapshot(pool) as db:
        return await definitions_of(db, "621")


async def answer(
    pool: Pool, entries: Sequence[Indicator], *, position: int | None = None, version: int | None = None
) -> tuple[int, int]:
    """By which definition, and what; by none is (0, 0)."""
    async with snapshot(pool) as db:
        lane = await known(db, "621", position)
        definitions = await definitions_of(db, "621")
        if version is None:
            entry = entry_at(entries, definitions, lane.position)
        else:
            entry = entry_of_version(entries, version, definitions, lane.position)
        if entry is None:
            return 0, 0
        figure = await figure_at(db, ask(entry, "621", as_of=TODAY), lane)
        return entry.definition_version, int(figure.whole.value or 0)


async def differing(pool: Pool, measures: Sequence[Measure]) -> list[str]:
    return (await compare(pool, "621", measures)).differing


async def verified(pool: Pool, *, retell: bool = False) -> list[dict[str, Any]]:
    """What differs in one round."""
    found = await verify_once(pool, "621", CLOCK, CATALOGUE_WITH_SECOND, retell=retell)
    assert found is not None
    assert found.drift == len(found.differing)
    return found.differing

"""Definition versions side by side: each in force over the whole past, or not at all, while the lane goes on."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from chassis.calendar import SystemCalendar
from chassis.database import Connection, Pool, create_pool
from chassis.migrate import Component, component_of, migrate
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.entries.flexjobs import F1, PERSONS_IN_FLEXJOB
from impact.entries.workforce import E1, HEADCOUNT
from impact.figures import ask
from impact.fold import Effect, Fact, Measure
from impact.indicator import Indicator
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.rebuild import Gate, bring_into_force, compare, rebuild
from impact.store.definitions import DefinitionMissing, LaneNotTold
from impact.store.figures import definitions_of, figure_at, known, snapshot
from impact.verify import drift
from impact.verify.proofs import Asked, Cell, prove
from impact.verify.watch import proven, verify_once
from impact.versions import entry_at, entry_of_version
from local.postgres import Postgres

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
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
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await compare(db, "621", measures)).differing


@pytest.fixture
async def life(pool: Pool) -> Pool:
    """A snapshot of the staff, and two persons who start."""
    await bring_in(pool, LIFE, MEASURES)
    return pool


async def test_old_positions_are_answered_by_the_first_definition_and_later_ones_by_the_second(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    assert await answer(life, BOTH) == (1, 2), "what was told of these positions stays what it was"

    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))

    told_then = [await answer(life, BOTH, position=position) for position in range(5)]
    assert told_then == [(1, 0), (1, 0), (1, 1), (1, 2), (2, 6)]
    assert await answer(life, BOTH) == (2, 6)


async def test_a_definition_that_is_named_answers_at_any_position(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))

    first = [await answer(life, BOTH, position=position, version=1) for position in range(5)]
    second = [await answer(life, BOTH, position=position, version=2) for position in range(5)]

    assert first == [(1, 0), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert second == [(2, 0), (2, 0), (2, 2), (2, 4), (2, 6)]
    assert await differing(life, WITH_SECOND) == []


async def test_a_measure_that_is_new_answers_for_the_whole_past(pool: Pool) -> None:
    await bring_in(pool, LIFE, BEFORE_E1)
    assert await answer(pool, [E1]) == (0, 0), "by no definition"

    await put_in_force(pool, MEASURES, proven("621"))

    assert [await answer(pool, [E1], position=position) for position in range(4)] == [
        (1, 0),
        (1, 100),
        (1, 100),
        (1, 100),
    ]
    assert (await in_force(pool))[HEADCOUNT.id, 1] == 0
    assert await differing(pool, MEASURES) == []


async def test_bringing_into_force_what_is_already_changes_nothing(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    before = await in_force(life)

    await put_in_force(life, WITH_SECOND)

    assert await in_force(life) == before
    assert before[SECOND.id, 2] == len(LIFE) + 1


@pytest.mark.parametrize("definition", [replace(SECOND, rule=unable), replace(SECOND, id="newcomer", rule=unable)])
async def test_a_rule_that_raises_on_an_admitted_fact_stays_out_and_the_lane_goes_on(
    life: Pool, definition: Measure
) -> None:
    before = await in_force(life)
    await put_in_force(life, [*MEASURES, definition])
    assert await in_force(life) == before

    assert await bring_in(life, LATER, [*MEASURES, definition], after=len(LIFE)) == len(LIFE) + 1

    assert await answer(life, [F1]) == (1, 3)
    assert await life.fetchval("SELECT count(*) FROM ledger WHERE parked IS NOT NULL") == 0
    assert await differing(life, MEASURES) == []


async def test_figures_of_a_new_measure_that_are_not_proven_keep_it_out(pool: Pool) -> None:
    await bring_in(pool, LIFE, BEFORE_E1)
    blind = replace(HEADCOUNT, rule=lambda _: ())

    await put_in_force(pool, [*BEFORE_E1, blind], proven("621"))

    assert (HEADCOUNT.id, 1) not in await in_force(pool)
    assert await bring_in(pool, LATER, [*BEFORE_E1, blind], after=len(LIFE)) == len(LIFE) + 1
    assert await differing(pool, BEFORE_E1) == []


async def test_figures_of_a_second_version_that_are_not_proven_keep_it_out(life: Pool) -> None:
    """F1 is proven by its first definition alone."""
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))

    assert (SECOND.id, 2) not in await in_force(life)
    assert await answer(life, BOTH) == (1, 2)


@pytest.fixture
def fixed_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof of F1 as the second version has it, beside that of the first."""

    async def fixed(db: Connection, name: str, asked: Asked) -> dict[Cell, tuple[Decimal, Decimal]]:
        proof = await prove(db, name.removesuffix(".v2"), asked)
        times = 2 if name == "F1.v2" else 1
        return {cell: (times * over, under) for cell, (over, under) in proof.items()}

    monkeypatch.setattr(drift, "prove", fixed)


@pytest.mark.usefixtures("fixed_proof")
async def test_a_second_version_with_its_proof_comes_into_force_and_stays_proven(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))
    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + 1

    assert await verified(life) == [], "before another fact has come"
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    assert await verified(life) == []


@pytest.mark.usefixtures("fixed_proof")
async def test_every_version_that_is_kept_is_compared_with_its_own_proof(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND, proven("621", CATALOGUE_WITH_SECOND))
    for version in (1, 2):
        edit = "UPDATE running_sum SET amount = amount + $1 WHERE measure = $2 AND definition_version = $3"
        await life.execute(edit, 1, SECOND.id, version)
        assert f"F1.v{version}".removesuffix(".v1") in {row["indicator"] for row in await verified(life)}
        await life.execute(edit, -1, SECOND.id, version)


@pytest.mark.usefixtures("fixed_proof")
async def test_a_second_version_that_is_refused_leaves_the_first_proven(life: Pool) -> None:
    await put_in_force(life, [*MEASURES, replace(SECOND, rule=unable)], proven("621", CATALOGUE_WITH_SECOND))
    assert (SECOND.id, 2) not in await in_force(life)

    assert await verified(life, retell=True) == []


async def test_a_version_that_is_kept_and_has_no_proof_is_drift(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)

    found = await verified(life)

    assert {(row["indicator"], row["cell"].get("missing_proof")) for row in found} == {("F1.v2", "F1.v2")}


async def verified(pool: Pool, *, retell: bool = False) -> list[dict[str, Any]]:
    """What differs in one round."""
    found = await verify_once(pool, "621", CLOCK, CATALOGUE_WITH_SECOND, retell=retell)
    assert found is not None
    assert found.drift == len(found.differing)
    return found.differing


async def test_a_worker_that_lacks_a_definition_in_force_takes_nothing_in(life: Pool) -> None:
    await put_in_force(life, WITH_SECOND)

    with pytest.raises(DefinitionMissing, match="persons_in_flexjob/2"):
        await bring_in(life, LATER, MEASURES, after=len(LIFE))

    assert await life.fetchval("SELECT max(position) FROM ledger") == len(LIFE)
    assert await life.fetchval("SELECT position FROM lane") == len(LIFE)
    assert await bring_in(life, LATER, WITH_SECOND, after=len(LIFE)) == len(LIFE) + 1


async def test_a_program_that_lacks_a_definition_in_force_rebuilds_nothing(life: Pool) -> None:
    """It would take the deltas of the other definition for odd ones, and drop them."""
    await put_in_force(life, WITH_SECOND)

    with pytest.raises(DefinitionMissing):
        await rebuild(life, "621", MEASURES, calendar=CLOCK, gate=open_gate)
    with pytest.raises(DefinitionMissing):
        await differing(life, MEASURES)
    with pytest.raises(DefinitionMissing):
        await put_in_force(life, [*MEASURES, replace(SECOND, id="newcomer")])

    assert await answer(life, BOTH, version=2) == (2, 4)
    assert await differing(life, WITH_SECOND) == []


async def test_a_fact_that_cannot_be_read_any_more_keeps_new_definitions_out_and_the_lane_goes_on(life: Pool) -> None:
    await life.execute("UPDATE ledger SET body = jsonb_set(body, '{data,headcount}', '\"many\"') WHERE position = 1")

    await put_in_force(life, WITH_SECOND)

    assert (SECOND.id, 2) not in await in_force(life)
    assert await bring_in(life, LATER, WITH_SECOND, after=len(LIFE)) == len(LIFE) + 1


@pytest.fixture
async def before_both_clocks(postgres: Postgres, life: Pool, tmp_path: Path) -> AsyncIterator[Pool]:
    """A database whose facts were admitted before there were definitions, migrated since."""
    for file in component_of("impact").files.iterdir():
        if file.name < "0003":
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    dsn = postgres.create_database()
    await migrate(dsn, [Component("impact", tmp_path)], clock=CLOCK)
    async with await create_pool(dsn, name="test") as old:
        for table in ("lane", "ledger"):
            columns = [row["column_name"] for row in await old.fetch(COLUMNS_OF, table)]
            rows = await life.fetch(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 - our own names
            places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
            await old.executemany(insert, [tuple(row) for row in rows])
    await migrate(dsn, [component_of("impact")], clock=CLOCK)
    async with await create_pool(dsn, name="test") as pool:
        yield pool
    postgres.drop_database(dsn)


COLUMNS_OF = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'"
DELTAS = "SELECT * FROM delta ORDER BY position, measure, ordinal"


async def test_a_lane_of_before_there_were_definitions_takes_nothing_in_until_it_is_told_anew(
    before_both_clocks: Pool, life: Pool
) -> None:
    with pytest.raises(LaneNotTold):
        await bring_in(before_both_clocks, LATER, MEASURES, after=len(LIFE))
    assert await before_both_clocks.fetchval("SELECT count(*) FROM delta") == 0

    await put_in_force(before_both_clocks, MEASURES, proven("621"))

    assert set((await in_force(before_both_clocks)).values()) == {0}
    assert await before_both_clocks.fetch(DELTAS) == await life.fetch(DELTAS)
    assert [await answer(before_both_clocks, [F1], position=n) for n in range(4)] == [(1, 0), (1, 0), (1, 1), (1, 2)]
    assert await bring_in(before_both_clocks, LATER, MEASURES, after=len(LIFE)) == len(LIFE) + 1


async def test_a_lane_whose_facts_are_counted_by_nothing_yet_is_called_neither_right_nor_wrong(
    before_both_clocks: Pool,
) -> None:
    assert await verify_once(before_both_clocks, "621", CLOCK, INDICATORS) is None

    assert await before_both_clocks.fetchval("SELECT count(*) FROM verification") == 0


async def test_a_lane_that_cannot_be_told_anew_takes_nothing_in(before_both_clocks: Pool) -> None:
    broken = [replace(measure, rule=unable) if measure is HEADCOUNT else measure for measure in MEASURES]

    with pytest.raises(LaneNotTold):
        await put_in_force(before_both_clocks, broken)

    assert await in_force(before_both_clocks) == {}
    with pytest.raises(LaneNotTold):
        await bring_in(before_both_clocks, LATER, broken, after=len(LIFE))


async def test_a_lane_without_facts_is_left_as_it_is(pool: Pool) -> None:
    await put_in_force(pool, WITH_SECOND)
    assert await in_force(pool) == {}

    await bring_in(pool, LIFE, WITH_SECOND)

    assert set((await in_force(pool)).values()) == {0}
    assert await answer(pool, BOTH, position=2) == (2, 2)


async def test_two_workers_may_bring_the_same_into_force_at_once(life: Pool, database_url: str) -> None:
    async with await create_pool(database_url, name="another") as another:
        await asyncio.gather(*(put_in_force(each, WITH_SECOND) for each in (life, another)))

    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + 1
    assert await differing(life, WITH_SECOND) == []
    await bring_in(life, LATER, WITH_SECOND, after=len(LIFE))
    assert await answer(life, BOTH) == (2, 6)


async def test_traffic_goes_on_while_a_definition_comes_into_force(life: Pool) -> None:
    """A worker of before it is refused from then on, whoever comes first; nothing falls between."""

    async def traffic() -> int:
        admitted = 0
        for number in range(20):
            try:
                await bring_in(life, [started(f"P{number}", "2026-05-01")], MEASURES, after=len(LIFE) + number)
            except DefinitionMissing:
                continue
            admitted += 1
        return admitted

    admitted, _ = await asyncio.gather(traffic(), put_in_force(life, WITH_SECOND))

    assert (await in_force(life))[SECOND.id, 2] == len(LIFE) + admitted + 1
    assert await answer(life, BOTH) == (1, 2 + admitted)
    assert await answer(life, BOTH, version=2) == (2, 2 * (2 + admitted))
    assert await differing(life, WITH_SECOND) == []

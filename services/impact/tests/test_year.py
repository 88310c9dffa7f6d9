"""A year of 2,000 people with all that goes wrong in one: a rebuild gives the same rows, and live traffic goes on."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest

from chassis.calendar import Calendar, calendar_of
from chassis.database import Connection, Pool
from chassis.wire import seal
from contracts.catalogue import BY_TYPE
from contracts.event import DatedEvent, Event
from contracts.platform import EventRetracted
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.ingest import ingest
from impact.ledger import Delivery
from impact.rebuild import GateClosed, compare, rebuild
from impact.store.figures import snapshot
from impact.store.replay import COLUMNS, STANDING
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON, proven

EXAMPLES = Path(__file__).parents[3] / "contracts" / "examples"
LANE = Stream("621", "flexjob_pool")
MEASURES = measures_of(INDICATORS)
PEOPLE = 2000
A_FEW = 40
BATCH = 500
NEW_YEAR = date(2026, 1, 1)
DAYS = 365
DEPARTMENTS = ("Senior", "Børn", "Teknik", "Kultur", "Social")
HOURS = ("2.00", "4.00", "6.50", "8.00", "10.00", "12.50", "15.00")
CAUSES = ("capacity_up", "capacity_up", "task_match", "capacity_down", "organisational")
ENDS = ("ordinary_job", "resigned", "pension", "other_flexjob", "dismissed")
KINDS = ("ordinary", "small_job", "work_trial", "apprenticeship", "wage_subsidy")
ORIGINS = ("cash_benefit", "education", "sickness_benefit")


class Said(NamedTuple):
    """An event as it is registered: when, under which id, and which earlier event it corrects."""

    time: datetime
    id: str
    event: Event
    corrects: str | None = None


@cache
def example(name: str) -> tuple[type[Event], dict[str, object]]:
    message = json.loads((EXAMPLES / f"{name}.v1.json").read_text(encoding="utf-8"))
    return BY_TYPE[message["type"]], message["data"]


def told(name: str, day: date, **data: object) -> DatedEvent:
    """An event as its published example has it, but for what is said here."""
    model, usual = example(name)
    event = model.model_validate({**usual, "occurred_on": day, **data})
    assert isinstance(event, DatedEvent)
    return event


class Year:
    """What happens to everybody in a year; the same each time."""

    def __init__(self, people: int) -> None:
        self.people = people
        self.chance = Random(2026)  # noqa: S311 - a story, not a secret

    def tell(self) -> list[Said]:
        """The year as it is registered: mistakes and their undoing among it, shuffled within each week."""
        events = [*self._administration(), *(event for _ in range(self.people) for event in self._person())]
        said = [self._registered(number, event) for number, event in enumerate(events)]
        corrections = [self._correction(said[place]) for place in self._some(said, 0.03)]
        retractions = [self._retraction(each) for each in self._picked([*said, *corrections], 0.01)]
        return sorted([*said, *corrections, *retractions], key=self._week)

    def _some(self, of: Sequence[Said], share: float) -> list[int]:
        return self.chance.sample(range(len(of)), round(len(of) * share))

    def _picked(self, of: Sequence[Said], share: float) -> list[Said]:
        return [of[place] for place in self._some(of, share)]

    def _week(self, said: Said) -> tuple[int, float]:
        return (said.time.date() - NEW_YEAR).days // 7, self.chance.random()

    def _registered(self, number: int, event: DatedEvent) -> Said:
        """Most things are registered within days, some much later."""
        late = self.chance.choice((0, 0, 1, 2, 3, 40))
        noon = datetime(event.occurred_on.year, event.occurred_on.month, event.occurred_on.day, 12, tzinfo=UTC)
        return Said(noon + timedelta(days=late, seconds=number), f"e{number}", event)

    def _correction(self, said: Said) -> Said:
        assert isinstance(said.event, DatedEvent)
        day = said.event.occurred_on + timedelta(days=self.chance.choice((-31, -3, 0, 0, 2, 30)))
        change: dict[str, object] = {"occurred_on": day, "reason_code": "typed_wrongly"}
        if "effective_hours_per_week" in type(said.event).model_fields:
            change["effective_hours_per_week"] = Decimal(self.chance.choice(HOURS))
        corrected = said.event.model_copy(update=change)
        return Said(said.time + timedelta(days=self.chance.randint(1, 60)), f"{said.id}-right", corrected, said.id)

    def _retraction(self, said: Said) -> Said:
        event = EventRetracted(event_id=said.id, reason_code="double_entry")
        return Said(said.time + timedelta(days=self.chance.randint(0, 60)), f"{said.id}-never", event)

    def _id(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128)))

    def _day(self) -> date:
        return NEW_YEAR + timedelta(days=self.chance.randrange(-90, DAYS))

    def _administration(self) -> Iterator[DatedEvent]:
        for fiscal_year in (2025, 2026, 2027):
            budget = {"budget_id": self._id(), "fiscal_year": fiscal_year}
            yield told("pool.budget_allocated", date(fiscal_year - 1, 12, 1), **budget, amount_ore=900_000_000)
            yield told("pool.budget_adjusted", date(fiscal_year, 6, 1), **budget, amount_ore=950_000_000)
        for month in range(1, 13):
            for department in DEPARTMENTS:
                staff = {"headcount": self.chance.randrange(800, 900), "fte": "700.00", "trainee_headcount": month}
                yield told("workforce.snapshot_taken", date(2026, month, 1), department=department, **staff)
        for _ in range(60):
            request = {"request_id": self._id(), "to_municipality": self.chance.choice(("630", "607"))}
            day = self._day()
            yield told("job7.candidate_requested", day, **request)
            if self.chance.random() < 0.6:
                soon = day + timedelta(days=self.chance.randrange(120))
                yield told("job7.candidate_placed", soon, **request, person_ref=self._id(), placement_id=self._id())

    def _person(self) -> Iterator[DatedEvent]:
        person, day = self._id(), self._day()
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            job = {"person_ref": person, "placement_id": self._id()}
            life = self._flexjob if self.chance.random() < 0.7 else self._placement
            yield from life(day, job)
            day += timedelta(days=self.chance.randrange(200))

    def _flexjob(self, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        unit = {"department": self.chance.choice(DEPARTMENTS)}
        more: dict[str, str] = {}
        if self.chance.random() < 0.25:
            more["need_id"] = self._id()
            yield told("need.reported", day - timedelta(days=self.chance.randrange(90)), **unit, **more)
        if self.chance.random() < 0.4:
            more["grant_id"] = self._id()
            yield from self._grant(day, more["grant_id"])
        yield told("flexjob.started", day, **job, **unit, **more, effective_hours_per_week=self.chance.choice(HOURS))
        yield from self._changes("flexjob", day, job)
        if self.chance.random() < 0.1:
            yield told("flexjob.transferred", self._after(day), **job, department=self.chance.choice(DEPARTMENTS))
        if self.chance.random() < 0.2:
            review = {**job, "review_id": self._id()}
            due = self._after(day)
            yield told("flexjob.review_due", day, **review, due_on=due)
            yield told("flexjob.review_held", due + timedelta(days=self.chance.randint(-20, 5)), **review)
        if self.chance.random() < 0.3:
            yield told("flexjob.ended", self._after(day), **job, reason_code=self.chance.choice(ENDS))

    def _placement(self, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        terms = {"employment_kind": self.chance.choice(KINDS), "origin_code": self.chance.choice(ORIGINS)}
        hours = self.chance.choice(HOURS)
        yield told("placement.started", day, **job, **terms, org_id=self._id(), effective_hours_per_week=hours)
        yield from self._changes("placement", day, job)
        if self.chance.random() < 0.15:
            yield told("placement.kind_changed", self._after(day), **job, employment_kind="ordinary")
        if self.chance.random() < 0.4:
            yield told("placement.ended", self._after(day), **job)

    def _changes(self, noun: str, day: date, job: dict[str, str]) -> Iterator[DatedEvent]:
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            day = self._after(day)
            terms = {"effective_hours_per_week": self.chance.choice(HOURS), "cause": self.chance.choice(CAUSES)}
            yield told(f"{noun}.hours_changed", day, **job, **terms)

    def _grant(self, day: date, grant: str) -> Iterator[DatedEvent]:
        amounts = {2026: self.chance.randrange(1_000, 900_000), 2027: self.chance.randrange(1_000, 900_000)}
        for verb in ("committed", "adjusted", "released")[: self.chance.choice((1, 1, 2, 3))]:
            parts = [{"fiscal_year": year, "amount_ore": amount} for year, amount in amounts.items()]
            known = {"grant_id": grant, "application_id": grant, "amount_ore": sum(amounts.values())}
            yield told(f"grant.{verb}", day, **known, allocations=parts)
            day, amounts = self._after(day), {year: amount // 2 for year, amount in amounts.items()}

    def _after(self, day: date) -> date:
        return day + timedelta(days=self.chance.randrange(1, 150))


def sealed(said: Said) -> bytes:
    known = {"municipality": LANE.municipality, "producer": LANE.producer}
    return seal(said.event, **known, id=said.id, time=said.time, corrects=said.corrects).body


def deliveries(people: int) -> list[Delivery]:
    """A year as it arrives: now and then something comes a second time."""
    bodies = [sealed(said) for said in Year(people).tell()]
    chance = Random(people)  # noqa: S311 - a story, not a secret
    for place in chance.sample(range(len(bodies)), len(bodies) // 100):
        bodies.insert(place + chance.randrange(1, 700), bodies[place])
    return [Delivery(LANE.name, sequence, {}, body) for sequence, body in enumerate(bodies, start=1)]


async def bring_in(pool: Pool, arriving: Sequence[Delivery], calendar: Calendar, *, batch: int = BATCH) -> None:
    """Ingest all, again where the lane was held for too long, as the consumer does."""
    for start in range(0, len(arriving), batch):
        while True:
            with suppress(asyncpg.LockNotAvailableError):
                await ingest(pool, LANE, arriving[start : start + batch], measures=MEASURES, calendar=calendar)
                break


@pytest.fixture
def after_the_year(tmp_path: Path) -> Calendar:
    file = tmp_path / "clock"
    file.write_text("2027-12-01T08:00:00Z", encoding="utf-8")
    return calendar_of(f"file:{file}")


async def rows_of(pool: Pool) -> dict[str, str]:
    """A fingerprint of each table that follows from the ledger."""
    return {table: await pool.fetchval(FINGERPRINT.format(table, STANDING.get(table, "true"))) for table in COLUMNS}


FINGERPRINT = "SELECT md5(string_agg(known::text, ' ' ORDER BY known::text)) FROM {} AS known WHERE {}"


async def differing(pool: Pool) -> list[str]:
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
        return (await compare(db, "621", MEASURES)).differing


async def undamaged(_: Connection) -> int:
    """A gate that nothing may come to."""
    raise AssertionError("rows differed")


async def proven_now(db: Connection) -> int:
    """A gate that is over sooner than the one in use, which proves ten positions of the past as well."""
    return len((await verify(db, "621", INDICATORS, [Pair(HORIZON)])).drift)


DAMAGE = (
    "DELETE FROM link WHERE position % 5 = 0",
    "UPDATE link SET target = 'another' WHERE position % 5 = 1",
    "DELETE FROM history WHERE position % 50 = 0",
    "UPDATE history SET root = NULL WHERE position % 50 = 1",
    "DELETE FROM delta WHERE position % 50 = 0",
    "UPDATE delta SET amount = amount + 1, person = NULL WHERE position % 50 = 1",
    "DELETE FROM running_sum WHERE date < '2026-02-01'",
    "UPDATE running_sum SET amount = amount + 1 WHERE date > '2027-01-01'",
    "DELETE FROM outcome WHERE position % 50 = 0",
    "UPDATE outcome SET outcome = 'waiting' WHERE position % 50 = 1",
    "DELETE FROM outcome_count WHERE outcome = 'superseded'",
    "UPDATE outcome_count SET facts = facts + 1",
)


async def damage(pool: Pool) -> None:
    for statement in DAMAGE:
        assert await pool.execute(statement) not in {"DELETE 0", "UPDATE 0"}


@pytest.mark.timeout(300)
async def test_a_year_of_2000_people_is_rebuilt_to_identical_rows_with_live_traffic_going_on(
    pool: Pool, after_the_year: Calendar
) -> None:
    arriving = deliveries(PEOPLE)
    until_autumn = len(arriving) * 4 // 5
    await bring_in(pool, arriving[:until_autumn], after_the_year)
    seen: list[int] = []

    rebuilt, _ = await asyncio.gather(
        rebuild(
            pool,
            "621",
            MEASURES,
            calendar=after_the_year,
            gate=undamaged,
            progress=lambda _, upto: seen.append(upto),
        ),
        bring_in(pool, arriving[until_autumn:], after_the_year, batch=50),
    )

    assert rebuilt.differing == []
    assert rebuilt.position > seen[0], "what came in meanwhile was told as well"
    facts = len({delivery.raw for delivery in arriving})
    positions = await pool.fetch("SELECT position FROM ledger ORDER BY position")
    assert [row["position"] for row in positions] == list(range(1, facts + 1))
    assert facts > 8000
    counts = {row["outcome"]: row["facts"] for row in await pool.fetch(OUTCOMES)}
    assert counts["superseded"] > 200
    assert counts["retracted"] > 70
    assert "parked" not in counts
    await repairs_damage(pool, after_the_year)


OUTCOMES = "SELECT outcome, count(*) AS facts FROM outcome GROUP BY outcome"


async def repairs_damage(pool: Pool, calendar: Calendar) -> None:
    """Every table is damaged, the gate opens, and all is as it was."""
    before = await rows_of(pool)
    await damage(pool)
    rebuilt = await rebuild(pool, "621", MEASURES, calendar=calendar, gate=proven_now)

    assert rebuilt.differing == list(COLUMNS)
    assert await rows_of(pool) == before
    chance = Random(1)  # noqa: S311 - any pair will do
    facts = rebuilt.position
    pairs = [Pair(NEW_YEAR + timedelta(days=chance.randrange(700)), chance.randint(0, facts)) for _ in range(2)]
    async with snapshot(pool) as db:
        assert (await verify(db, "621", INDICATORS, pairs)).drift == ()


@pytest.fixture
async def a_small_year(pool: Pool, after_the_year: Calendar) -> Pool:
    await bring_in(pool, deliveries(A_FEW), after_the_year)
    return pool


async def test_damage_is_put_right_through_the_gate_that_is_in_use(
    a_small_year: Pool, after_the_year: Calendar
) -> None:
    before = await rows_of(a_small_year)
    await damage(a_small_year)

    rebuilt = await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert rebuilt.differing == list(COLUMNS)
    assert await rows_of(a_small_year) == before


async def test_only_the_tables_that_differ_are_replaced(a_small_year: Pool, after_the_year: Calendar) -> None:
    await a_small_year.execute("UPDATE running_sum SET amount = 0 WHERE date < '2026-02-01'")
    written = "SELECT xmin::text FROM delta ORDER BY position LIMIT 1"
    before = await a_small_year.fetchval(written)

    rebuilt = await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert rebuilt.differing == ["running_sum"]
    assert await a_small_year.fetchval(written) == before
    assert await differing(a_small_year) == []


async def test_a_rule_that_the_proofs_contradict_replaces_nothing(a_small_year: Pool, after_the_year: Calendar) -> None:
    before = await rows_of(a_small_year)
    broken = [replace(measure, rule=lambda _: ()) if measure.id == "headcount" else measure for measure in MEASURES]

    with pytest.raises(GateClosed) as closed:
        await rebuild(a_small_year, "621", broken, calendar=after_the_year, gate=proven("621"))

    assert closed.value.cells > 0
    assert await rows_of(a_small_year) == before


async def test_damage_stays_as_it_is_while_the_gate_is_closed(a_small_year: Pool, after_the_year: Calendar) -> None:
    await damage(a_small_year)
    damaged = await rows_of(a_small_year)

    async def closed(_: Connection) -> int:
        return 3

    with pytest.raises(GateClosed):
        await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=closed)

    assert await rows_of(a_small_year) == damaged


async def test_a_rebuild_leaves_other_lanes_alone(a_small_year: Pool, after_the_year: Calendar) -> None:
    """The other lane's rows are as damaged afterwards as they were before."""
    for table in COLUMNS:
        columns = f"municipality, {COLUMNS[table]}"
        await a_small_year.execute(
            f"INSERT INTO {table} ({columns}) SELECT '630', {COLUMNS[table]} FROM {table}"  # noqa: S608 - our names
        )
    await damage(a_small_year)
    others = (
        "SELECT md5(string_agg(known::text, ' ' ORDER BY known::text)) FROM delta AS known WHERE municipality = '630'"
    )
    before = await a_small_year.fetchval(others)

    await rebuild(a_small_year, "621", MEASURES, calendar=after_the_year, gate=proven("621"))

    assert await a_small_year.fetchval(others) == before
    assert await differing(a_small_year) == []

"""When totals about persons are released, on a real database: told by persons, never by events."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import UNAVAILABLE, Connection, Pool
from chassis.tokens import Principal
from impact.catalogue import INDICATORS, measures_of
from impact.disclosure import Release
from impact.figures import Status, Value, ask
from impact.indicator import Indicator
from impact.releases import keep_releasing, release_if_due
from impact.store import audit
from impact.store.releases import Asked, latest, persons_moved, turn
from local.waiting import until

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
SPRING = date(2026, 3, 1)
SUPPRESSED = Value(Status.SUPPRESSED)


@dataclass
class DayCalendar:
    """A calendar that stands at noon of a day until it is moved."""

    day: date = date(2026, 6, 30)

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 12, tzinfo=UTC)

    def today(self) -> date:
        return self.day


@dataclass
class Lane:
    """A lane whose contributions are written by hand, each at a position of its own, and its releases."""

    pool: Pool
    calendar: DayCalendar
    municipality: str = "621"
    position: int = 0

    async def contribute(
        self,
        measure: str,
        person: str | None,
        amount: str = "1",
        *,
        day: date = SPRING,
        contributor: str | None = None,
        **dimensions: str,
    ) -> None:
        self.position += 1
        place, instant = (self.municipality, self.position), self.calendar.now()
        key = contributor or person
        async with self.pool.acquire() as db, db.transaction():
            await db.execute(FACT, *place, instant)
            await db.execute(DELTA, *place, measure, key, person, day, Decimal(amount), dimensions)
            await db.execute(SUM, self.municipality, measure, day, dimensions, Decimal(amount))
            await db.execute(LANE, *place, instant)

    async def employ(self, *persons: str, department: str = "Senior", day: date = SPRING) -> None:
        for person in persons:
            await self.contribute("persons_in_flexjob", person, department=department, day=day)

    async def release(self, *, trusted: bool = True, k: int = 5) -> int | None:
        return await release_if_due(self.pool, self.municipality, self.calendar, INDICATORS, trusted=trusted, k=k)

    async def last(self) -> Release:
        async with self.pool.acquire() as db:
            release = await latest(db, self.municipality)
        assert release
        return release

    async def whole(self, id_: str) -> Value:
        return (await self.last()).wholes[id_, BY_ID[id_].definition_version]


FACT = """
INSERT INTO ledger (
    municipality, position, kind, source, event_id, type, time, body, body_hash, recorded_at, stream, stream_sequence
)
VALUES ($1, $2, 'fact', 's', $2::bigint::text, 't', $3, '{}', '', $3, 's', $2)
"""
DELTA = """
INSERT INTO delta (
    municipality, position, ordinal, measure, definition_version, key, contributor, person, date, amount, dimensions
)
VALUES ($1, $2, 1, $3, 1, $4, $4, $5, $6, $7, $8)
"""
SUM = """
INSERT INTO running_sum (municipality, measure, definition_version, date, dimensions, amount)
VALUES ($1, $2, 1, $3, $4, $5)
ON CONFLICT (municipality, measure, definition_version, cohort, date, dimensions)
DO UPDATE SET amount = running_sum.amount + excluded.amount
"""
LANE = """
INSERT INTO lane (municipality, position, recorded_at) VALUES ($1, $2, $3)
ON CONFLICT (municipality) DO UPDATE SET (position, recorded_at) = (excluded.position, excluded.recorded_at)
"""
DEFINITION = "INSERT INTO definition (municipality, measure, version, in_force_from) VALUES ($1, $2, $3, 0)"

LaneOf = Callable[[str], Lane]

DAYS = st.integers(0, 8).map(lambda quarter: date(2025 + quarter // 4, 1 + 3 * (quarter % 4), 1))
CONTRIBUTION = st.tuples(
    st.sampled_from(["persons_in_flexjob", "placements_started", "jobs_due", "jobs_sustained"]),
    st.sampled_from(["P1", "P2", "P3", "P4", None]),
    DAYS,
    st.sampled_from([Decimal(-1), Decimal(1)]),
    st.sampled_from(["13", "26"]),
)
Contribution = tuple[str, str | None, date, Decimal, str]
Pair = tuple[int, date]
EXAMPLES = count()


@pytest.fixture
async def lane_of(pool: Pool) -> LaneOf:
    """Lanes of two municipalities that keep every measure of the catalogue."""
    calendar = DayCalendar()
    async with pool.acquire() as db:
        rows = [(code, measure.id, measure.version) for code in ("621", "607") for measure in measures_of(INDICATORS)]
        await db.executemany(DEFINITION, rows)
    return lambda municipality: Lane(pool, calendar, municipality)


@pytest.fixture
def lane(lane_of: LaneOf) -> Lane:
    return lane_of("621")


def names(count: int, prefix: str = "P") -> list[str]:
    return [f"{prefix}{number}" for number in range(1, count + 1)]


async def test_nothing_is_released_before_five_persons_contribute(lane: Lane) -> None:
    await lane.employ(*names(4))

    assert await lane.release() is None

    await lane.employ("P5")

    assert await lane.release() == 1
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(5))


async def test_a_release_says_where_it_stands_on_both_clocks(lane: Lane) -> None:
    await lane.employ(*names(6))
    await lane.release()

    release = await lane.last()

    assert (release.number, release.position, release.as_of) == (1, 6, date(2026, 6, 30))
    assert release.known_as_of == datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert {id_ for id_, _ in release.wholes} == {indicator.id for indicator in INDICATORS if indicator.about_persons}


async def test_totals_stand_still_until_five_persons_have_moved_them(lane: Lane) -> None:
    await lane.employ(*names(10))
    await lane.release()

    await lane.employ(*names(4, "New "))

    assert await lane.release() is None
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(10))

    await lane.contribute("persons_in_flexjob", "P1", "-1", department="Senior")

    assert await lane.release() == 2
    assert await lane.whole("F1") == Value(Status.PROVISIONAL, Decimal(13))


async def test_all_totals_move_together_whichever_the_five_moved(lane: Lane) -> None:
    await lane.employ(*names(8))
    for person in names(8):
        await lane.contribute("effective_hours", person, "10", department="Senior")
    await lane.release()

    for person in names(2):
        await lane.contribute("effective_hours", person, "8", department="Senior")
    for person in names(3, "New "):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")

    assert await lane.release() == 2
    assert (await lane.whole("F4")).value == Decimal(12)
    assert await lane.whole("J1") == SUPPRESSED


async def test_many_events_of_one_person_are_one_person(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    for number in range(12):
        await lane.contribute("placements_started", "P1", contributor=f"job {number}")

    assert await lane.release() is None


async def test_moves_within_the_municipality_and_what_was_taken_back_move_no_total(lane: Lane) -> None:
    await lane.employ(*names(6))
    await lane.release()

    for person in names(6):
        await lane.contribute("persons_in_flexjob", person, "-1", department="Senior")
        await lane.contribute("persons_in_flexjob", person, "1", department="Teknik")
    for person in names(6, "Mistaken "):
        await lane.contribute("persons_in_flexjob", person, "1", department="Teknik")
        await lane.contribute("persons_in_flexjob", person, "-1", department="Teknik")

    assert await lane.release() is None


async def test_what_rises_in_one_measure_and_falls_in_another_does_not_cancel_out(lane: Lane) -> None:
    for person in names(5):
        await lane.contribute("effective_hours", person, "2", department="Senior")
    await lane.release()

    for person in names(5):
        await lane.contribute("effective_hours", person, "-1", department="Senior")
        await lane.contribute("persons_in_flexjob", person, "1", department="Senior")

    async with lane.pool.acquire() as db:
        asked = [Asked(*[ask(BY_ID["F4"], "621", as_of=lane.calendar.today())] * 2)]
        assert await persons_moved(db, "621", asked, before=5, after=lane.position) == 5


async def test_time_alone_moves_totals_when_a_period_begins_anew(lane: Lane) -> None:
    for person in names(5):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")
    await lane.release()
    assert (await lane.whole("J1")).value == Decimal(5)

    lane.calendar.day = date(2026, 12, 31)
    assert await lane.release() is None

    lane.calendar.day = date(2027, 1, 1)
    assert await lane.release() == 2
    assert (await lane.whole("J1")).value == Decimal(0)


async def test_what_is_dated_later_counts_only_from_its_day_on(lane: Lane) -> None:
    await lane.employ(*names(5), day=date(2026, 7, 1))

    assert await lane.release() is None

    lane.calendar.day = date(2026, 7, 1)
    assert await lane.release() == 1


async def test_only_the_dimension_that_a_total_is_held_to_moves_it(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    for person in names(9):
        await lane.contribute("jobs_due", person, contributor=f"{person}/13", kind="flexjob", weeks="13")
    assert await lane.release() is None

    for person in names(9):
        await lane.contribute("jobs_due", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
    assert await lane.release() == 2


async def test_contributions_without_a_person_move_nothing(lane: Lane) -> None:
    for number in range(9):
        await lane.contribute("job7_requests", None, contributor=f"request {number}", to_municipality="607")

    assert await lane.release() is None


async def test_nothing_is_released_while_figures_are_not_trusted(lane: Lane) -> None:
    await lane.employ(*names(9))

    assert await lane.release(trusted=False) is None
    assert await lane.release() == 1


async def test_a_calendar_that_was_set_back_releases_nothing(lane: Lane) -> None:
    await lane.employ(*names(5))
    await lane.release()

    lane.calendar.day = date(2026, 6, 29)
    await lane.employ(*names(9, "New "))

    assert await lane.release() is None


async def test_releases_are_numbered_and_told_by_municipality(lane_of: LaneOf) -> None:
    kolding, billund = lane_of("621"), lane_of("607")
    await kolding.employ(*names(5))
    await billund.employ(*names(4))

    assert (await kolding.release(), await billund.release()) == (1, None)

    await billund.employ("P5", "P6")

    assert await billund.release() == 1
    assert (await billund.whole("F1")).value == Decimal(6)
    assert (await kolding.whole("F1")).value == Decimal(5)


async def test_many_workers_make_one_release(lane: Lane) -> None:
    await lane.employ(*names(5))

    numbers = await asyncio.gather(*(lane.release() for _ in range(6)))

    assert sorted(number for number in numbers if number) == [1]
    assert await lane.release() is None


async def test_a_larger_k_waits_for_more_persons(lane: Lane) -> None:
    await lane.employ(*names(9))

    assert await lane.release(k=10) is None
    assert await lane.release(k=9) == 1


async def progression(lane: Lane, changes: dict[str, str]) -> None:
    """Persons in flexjob, each with a net change of weekly hours."""
    for person, change in changes.items():
        await lane.employ(person)
        await lane.contribute("persons_employed", person, kind="flexjob")
        if Decimal(change):
            await lane.contribute("net_hours_change", person, change, contributor=f"{person}/up", cause="capacity_up")
            moved = "persons_progressed" if Decimal(change) > 0 else "persons_regressed"
            await lane.contribute(moved, person, kind="flexjob")


E3 = {"P1": "8.5", "P2": "3.5", "P3": "-3", "P4": "0", "P5": "0"}


async def test_shares_of_too_few_are_hidden_while_the_sum_over_five_is_shown(lane: Lane) -> None:
    await progression(lane, E3)

    assert await lane.release() == 1
    assert await lane.whole("J3") == SUPPRESSED
    assert await lane.whole("J3r") == SUPPRESSED
    assert await lane.whole("F3") == Value(Status.PROVISIONAL, Decimal(9))


async def test_on_four_persons_nothing_is_shown(lane: Lane) -> None:
    await progression(lane, {person: change for person, change in E3.items() if person != "P5"})

    assert await lane.release() is None

    for person in names(5, "Elsewhere "):
        await lane.contribute("placements_started", person, contributor=f"job of {person}")
    assert await lane.release() == 1

    assert {await lane.whole(id_) for id_ in ("F1", "F3", "J3", "J3r")} == {SUPPRESSED}


@pytest.mark.parametrize(
    ("sustained", "due", "shown"), [(6, 8, False), (38, 40, False), (35, 40, True), (4, 40, False), (40, 40, True)]
)
async def test_a_rate_is_shown_with_five_on_each_side_or_none(
    lane: Lane, sustained: int, due: int, shown: bool
) -> None:
    for number, person in enumerate(names(due)):
        await lane.contribute("jobs_due", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
        if number < sustained:
            await lane.contribute("jobs_sustained", person, contributor=f"{person}/26", kind="flexjob", weeks="26")
    await lane.release()

    whole = await lane.whole("J4")

    assert (whole.numerator, whole.denominator) == ((sustained, due) if shown else (None, None))
    assert (whole.value is not None) is shown


async def test_only_persons_at_the_weeks_that_a_total_is_held_to_stand_behind_it(lane: Lane) -> None:
    for weeks, persons in (("13", 9), ("26", 3)):
        for person in names(persons):
            job = f"{person}/{weeks}"
            await lane.contribute("jobs_due", person, contributor=job, kind="flexjob", weeks=weeks)
    await lane.employ(*names(5))
    await lane.release()

    assert await lane.whole("J4") == SUPPRESSED


async def test_who_has_two_jobs_is_one_person_on_each_side(lane: Lane) -> None:
    for person in names(5):
        for number in (1, 2):
            job = f"{person}/{number}/26"
            await lane.contribute("jobs_due", person, contributor=job, kind="flexjob", weeks="26")
            if number == 1 or person in ("P1", "P2"):
                await lane.contribute("jobs_sustained", person, contributor=job, kind="flexjob", weeks="26")
    await lane.release()

    assert await lane.whole("J4") == SUPPRESSED


@pytest.mark.parametrize(("headcount", "shown"), [(8, False), (10, True), (400, True)])
async def test_the_share_of_all_staff_counts_those_who_are_not_in_flexjob_too(
    lane: Lane, headcount: int, shown: bool
) -> None:
    await lane.employ(*names(5))
    for measure, amount in (("headcount", headcount), ("snapshots_taken", 1)):
        await lane.contribute(
            measure, None, str(amount), contributor="Senior", day=date(2026, 4, 1), department="Senior"
        )
    await lane.release()

    assert ((await lane.whole("F2")).value is not None) is shown


@pytest.mark.parametrize("table", ["release", "release_value", "audit"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET municipality = '607'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_has_left_is_never_edited(lane: Lane, table: str, statement: str) -> None:
    await lane.employ(*names(5))
    await lane.release()

    async with lane.pool.acquire() as db:
        await audit.note(
            db,
            at=lane.calendar.now(),
            municipality="621",
            actor="board",
            action=audit.READ_EXACT,
            subject="F1 J3",
            detail={"as_of": "2026-06-30", "by": ["department"]},
        )
        before = await db.fetch(f"SELECT * FROM {table}")  # noqa: S608 - a name of this test
        assert before
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.execute(statement.format(table))
        assert await db.fetch(f"SELECT * FROM {table}") == before  # noqa: S608


async def test_releases_come_by_themselves_while_the_figures_are_trusted(lane: Lane) -> None:
    await lane.employ(*names(5))
    trust = asyncio.Event()

    async def trusted(municipality: str) -> bool:
        return trust.is_set() and municipality == "621"

    async def released() -> Release | None:
        async with lane.pool.acquire() as db:
            return await latest(db, "621")

    work = asyncio.create_task(
        keep_releasing(lane.pool, ["607", "621"], lane.calendar, INDICATORS, trusted=trusted, every=0.01)
    )
    try:
        await asyncio.sleep(0)
        assert await released() is None
        trust.set()
        assert await until(released, message="no release came")
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


class Unreadable(DayCalendar):
    """A calendar that nobody can read just now."""

    def today(self) -> date:
        raise ZeroDivisionError


async def test_a_turn_keeps_others_out_and_ends_with_the_release_or_its_failure(lane: Lane) -> None:
    await lane.employ(*names(5))
    broken = Lane(lane.pool, Unreadable())

    async with lane.pool.acquire() as one, lane.pool.acquire() as other:
        async with turn(one, "621") as first, turn(other, "621") as second, turn(other, "607") as elsewhere:
            assert (first, second, elsewhere) == (True, False, True)
            assert await lane.release() is None
        with pytest.raises(ZeroDivisionError):
            await broken.release()
        async with turn(other, "621") as again:
            assert again
        assert await lane.release() == 1
        async with turn(one, "621") as at_last:
            assert at_last


async def test_a_turn_ends_with_its_connection(lane: Lane) -> None:
    with pytest.raises(UNAVAILABLE):
        async with lane.pool.acquire() as dying, turn(dying, "621"):
            await lane.pool.execute("SELECT pg_terminate_backend($1)", await dying.fetchval("SELECT pg_backend_pid()"))

    async with lane.pool.acquire() as db:

        async def free() -> bool:
            async with turn(db, "621") as ours:
                return ours

        await until(free, message="the dead keep their turn")


@pytest.mark.parametrize("steps", range(1, 9))
async def test_a_turn_is_free_when_whoever_asked_for_it_is_gone_before_the_answer(lane: Lane, steps: int) -> None:
    async def ask_for_it() -> None:
        async with lane.pool.acquire() as db, turn(db, "621"):
            await asyncio.Event().wait()

    asking = asyncio.create_task(ask_for_it())
    for _ in range(steps):
        await asyncio.sleep(0)
    time.sleep(0.01)  # noqa: ASYNC251 - the server answers while nobody here listens
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    async with lane.pool.acquire() as db, lane.pool.acquire() as other:
        for session in (db, other):

            async def free(session: Connection = session) -> bool:
                async with turn(session, "621") as ours:
                    return ours

            await until(free, message="nobody has the turn, and it is not free")


async def test_an_exact_read_is_noted_with_what_was_asked_and_never_with_what_was_answered(pool: Pool) -> None:
    asked = [ask(BY_ID[id_], "621", as_of=SPRING, by=()) for id_ in ("F1", "E1", "J3")]
    at = datetime(2026, 6, 30, 12, tzinfo=UTC)
    door = {"door": "/v1/figures", "known_as_of": "1204"}

    async with pool.acquire() as db:
        await audit.note_exact_read(db, Principal("board", "621", frozenset({"figures:exact"})), asked, door, at=at)
        await audit.note_exact_read(db, Principal("public", "621", frozenset()), asked, door, at=at)
        await audit.note_exact_read(db, None, asked, door, at=at)
        notes = [dict(row) for row in await db.fetch("SELECT * FROM audit ORDER BY id")]

    assert notes == [
        {
            "id": 1,
            "at": at,
            "municipality": "621",
            "actor": "board",
            "action": "read_exact",
            "subject": "F1 J3",
            "detail": {"as_of": "2026-03-01", "door": "/v1/figures", "known_as_of": "1204"},
        }
    ]


def contributes(indicator: Indicator, contributions: list[Contribution], pair: Pair) -> dict[tuple[str, str], Decimal]:
    """What each person brings to each of an indicator's measures at a pair, the slow way."""
    position, as_of = pair
    brought: dict[tuple[str, str], Decimal] = {}
    for measure, person, day, amount, weeks in contributions[:position]:
        first = as_of.replace(month=1, day=1) if indicator.kind == "flow" else date.min
        held = indicator.held_on(as_of, ())
        if (
            person
            and measure in {kept.id for kept in indicator.kept}
            and first <= day <= as_of
            and held.get("weeks", weeks) == weeks
        ):
            brought[measure, person] = brought.get((measure, person), Decimal(0)) + amount
    return brought


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_who_moved_a_total_is_told_as_by_counting_one_by_one(pool: Pool, data: st.DataObject) -> None:
    contributions = data.draw(st.lists(CONTRIBUTION, max_size=24))
    positions = st.integers(0, len(contributions))
    before, after = data.draw(st.tuples(positions, DAYS)), data.draw(st.tuples(positions, DAYS))
    municipality, indicators = f"example {next(EXAMPLES)}", [BY_ID[id_] for id_ in ("F1", "J1", "J4")]
    async with pool.acquire() as db:
        for position, (measure, person, day, amount, weeks) in enumerate(contributions, start=1):
            row = (measure, person or "nobody", person, day, amount, {"weeks": weeks})
            await db.execute(DELTA, municipality, position, *row)
        asked = [
            Asked(ask(indicator, municipality, as_of=before[1]), ask(indicator, municipality, as_of=after[1]))
            for indicator in indicators
        ]
        moved = await persons_moved(db, municipality, asked, before=before[0], after=after[0])

    expected = set()
    for indicator in indicators:
        then, now = (contributes(indicator, contributions, pair) for pair in (before, after))
        expected |= {key[1] for key in {*then, *now} if then.get(key, 0) != now.get(key, 0)}
    assert moved == len(expected)

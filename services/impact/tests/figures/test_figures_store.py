"""Figures from rows: both ways of reading them, averages, snapshots, what was known then, and the facts behind."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest

from chassis.database import Pool
from impact.catalogue import INDICATORS
from impact.figures import Figure, Known, Question, Status, ask
from impact.fold import Measure
from impact.store.figures import BeyondLane, definitions_of, figure_at, figures_at, known, snapshot, with_facts
from impact.store.ledger import SET_OUTCOMES, write

Tell = Callable[..., Awaitable[None]]

BY_ID = {indicator.id: indicator for indicator in INDICATORS}
F1, F2, F4, J1 = (BY_ID[id_] for id_ in ("F1", "F2", "F4", "J1"))
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
A_DAY = timedelta(days=1)


class Move(NamedTuple):
    """What one fact changes, at its position."""

    position: int
    measure: Measure
    amount: Decimal
    day: date
    dimensions: dict[str, str]
    contributor: str = "c"
    cohort: date | None = None


def person(position: int, day: str, hours: str, department: str = "Senior", step: int = 1) -> list[Move]:
    """Somebody whose hours change by so many on a day, and who comes or goes."""
    on, place = date.fromisoformat(day), {"department": department}
    assert F4.denominator
    return [
        Move(position, F4.numerator, Decimal(hours), on, place),
        Move(position, F4.denominator, Decimal(step), on, place),
    ]


async def read(pool: Pool, question: Question, asked: int | datetime | None = None) -> Figure:
    """The answer, which must not depend on where it is read from."""
    async with snapshot(pool) as db:
        lane = await known(db, "621", asked)
        figure = await figure_at(db, question, lane)
        assert await figure_at(db, question, lane, from_deltas=True) == figure
    return figure


def f4(as_of: str, first: str | None = None, until: str | None = None) -> Question:
    days = [date.fromisoformat(day) if day else None for day in (first, until)]
    return ask(F4, "621", as_of=date.fromisoformat(as_of), first=days[0], until=days[1])


async def test_an_average_counts_each_day_and_a_stock_only_the_last(pool: Pool, tell: Tell) -> None:
    changes = [*person(1, "2026-03-01", "12.5"), *person(2, "2026-03-16", "7.5", step=0)]
    await tell(changes, position=2)

    march = await read(pool, f4("2026-03-31", "2026-03-01", "2026-04-01"))
    end = await read(pool, f4("2026-03-31"))
    so_far = await read(pool, f4("2026-03-16", "2026-03-01", "2026-04-01"))
    later = await read(pool, f4("2026-12-31", "2026-04-01", "2026-05-01"))

    assert (march.whole.over, march.whole.under) == (Fraction("507.5") / 31, Fraction(1))
    assert march.whole.value == Decimal("16.370968")
    assert end.whole.value == later.whole.value == Decimal(20)
    assert so_far.whole.value == Decimal("12.96875")


async def test_an_average_of_a_ratio_divides_one_average_by_the_other(pool: Pool, tell: Tell) -> None:
    # Alone with 10 hours for nine days, then together with one of 30 hours on the tenth.
    await tell([*person(1, "2026-03-01", "10"), *person(2, "2026-03-10", "30")], position=2)

    ten_days = await read(pool, f4("2026-03-31", "2026-03-01", "2026-03-11"))

    assert (ten_days.whole.over, ten_days.whole.under) == (Fraction(13), Fraction(11, 10))
    assert ten_days.whole.value == Decimal("11.818182")


async def test_what_was_known_then_is_told_for_ever(pool: Pool, tell: Tell) -> None:
    # 8.5 hours more, corrected to 6.5 more.
    changes = [*person(2, "2026-03-01", "8.5"), *person(5, "2026-03-01", "-2", step=0)]
    await tell(changes, position=6)

    values = [(await read(pool, f4("2026-03-31"), position)).whole for position in range(7)]

    assert [value.value for value in values] == [None, None, *[Decimal("8.5")] * 3, *[Decimal("6.5")] * 2]
    assert values[0].status == values[1].status == Status.NO_DATA


async def test_an_instant_is_the_last_position_that_was_recorded_by_then(pool: Pool, tell: Tell) -> None:
    await tell([], position=6)
    hours = [START + timedelta(hours=hour) for hour in range(4)]

    async with snapshot(pool) as db:
        for instant, before, position in zip(hours, (0, 1, 3, 5), (1, 3, 5, 6), strict=True):
            assert (await known(db, "621", instant)).position == position
            assert (await known(db, "621", instant - timedelta(microseconds=1))).position == before
        assert await known(db, "621", datetime(2999, 1, 1, tzinfo=UTC)) == Known(6, hours[3], latest=True)
        assert await known(db, "621", START - A_DAY) == Known(0, None)
        assert await known(db, "621", 5) == Known(5, hours[2])
        assert await known(db, "621", 0) == Known(0, None)
        assert await known(db, "621") == await known(db, "621", 6) == Known(6, hours[3], latest=True)


@pytest.mark.parametrize("position", [7, 10**18 - 1, 10**30])
async def test_a_position_that_is_yet_to_come_is_not_known(pool: Pool, tell: Tell, position: int) -> None:
    await tell([], position=6)

    async with snapshot(pool) as db:
        with pytest.raises(BeyondLane) as refusal:
            await known(db, "621", position)

    assert refusal.value.position == 6


async def test_a_lane_without_facts_knows_nothing_at_any_time(pool: Pool) -> None:
    async with snapshot(pool) as db:
        for asked in (None, 0, START):
            assert await known(db, "621", asked) == Known(0, None, latest=True)


@pytest.mark.parametrize("department", ["Senior", "Teknik"])
async def test_each_department_is_read_on_its_own_last_snapshot(pool: Pool, tell: Tell, department: str) -> None:
    assert F2.denominator
    assert F2.evaluated_at
    place = {"department": department}
    changes = [
        Move(1, F2.numerator, Decimal(3), date(2026, 1, 1), place),
        Move(2, F2.denominator, Decimal(100), date(2026, 1, 31), place),
        Move(2, F2.evaluated_at, Decimal(1), date(2026, 1, 31), place),
        Move(3, F2.numerator, Decimal(1), date(2026, 1, 31), place),
        Move(4, F2.numerator, Decimal(5), date(2026, 2, 1), place),
        Move(5, F2.numerator, Decimal(9), date(2026, 1, 1), {"department": "Unseen"}),
        # A snapshot told and retracted is none.
        Move(6, F2.evaluated_at, Decimal(1), date(2026, 3, 1), place),
        Move(7, F2.evaluated_at, Decimal(-1), date(2026, 3, 1), place),
    ]
    await tell(changes, position=7)
    question = ask(F2, "621", as_of=date(2026, 6, 30), by=("department",))

    now, then = await read(pool, question), await read(pool, question, 6)

    assert (now.whole.over, now.whole.under) == (Fraction(4), Fraction(100))
    assert [cell.dimensions for cell in now.cells] == [place]
    assert (then.whole.over, then.whole.under) == (Fraction(9), Fraction(100))
    before = await read(pool, ask(F2, "621", as_of=date(2026, 1, 30)))
    assert (before.whole.status, before.cells) == (Status.NO_DATA, ())


async def test_what_comes_to_nothing_has_no_cell(pool: Pool, tell: Tell) -> None:
    mistaken = [*person(1, "2026-03-01", "5", "Mistaken"), *person(2, "2026-03-01", "-5", "Mistaken", step=-1)]
    await tell([*mistaken, *person(2, "2026-03-01", "5")], position=2)

    figure = await read(pool, ask(F4, "621", as_of=date(2026, 3, 31), by=("department",)))

    assert [cell.dimensions for cell in figure.cells] == [{"department": "Senior"}]


async def test_the_facts_behind_are_those_that_count(pool: Pool, tell: Tell, put_fact: Tell) -> None:
    await tell([], position=0)
    for position, day in enumerate([date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1)], 1):
        await put_fact(position, day=day)
    await put_fact(5, name="review.due")
    await put_fact(6)
    await put_fact(7, parked="rule_error")
    async with pool.acquire() as db:
        await db.execute(REPLAY)
        await db.execute("UPDATE lane SET position = 8, days_upto = 8")
        await write(db, SET_OUTCOMES, "621", [(position, "counted") for position in range(1, 8)])
        await write(db, SET_OUTCOMES, "621", [(6, "superseded")])
    questions = [ask(F1, "621", as_of=date(2026, 6, 30)), ask(J1, "621", as_of=date(2026, 6, 30))]

    async with snapshot(pool) as db:
        now = await with_facts(db, await figures_at(db, questions, await known(db, "621")))
        then = await with_facts(db, await figures_at(db, questions, await known(db, "621", 7)))

    assert [figure.facts for figure in now] == [4, 3]
    assert [figure.facts for figure in then] == [None, None]


REPLAY = """
INSERT INTO ledger SELECT municipality, 8, 'replay', source, event_id, type, time, occurred_on, body, body_hash,
    NULL, recorded_at, stream, stream_sequence, 7
FROM ledger WHERE position = 7
"""


async def test_a_lane_says_what_it_keeps_from_when(pool: Pool) -> None:
    async with pool.acquire() as db:
        await db.execute("INSERT INTO definition VALUES ('621', 'a', 1, 0), ('621', 'a', 2, 9), ('751', 'b', 1, 0)")

        assert await definitions_of(db, "621") == {("a", 1): 0, ("a", 2): 9}

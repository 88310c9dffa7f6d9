"""What figures are made from: running sums, deltas, the lane, facts behind; one snapshot gives answers that agree."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chassis.database import ACQUIRE_SECONDS, Connection, Pool
from impact.figures import Figure, Known, Question, Sum, answer
from impact.fold import Measure


class BeyondLane(Exception):
    """The lane has not come as far as the position that was asked for."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@asynccontextmanager
async def snapshot(pool: Pool, *, readonly: bool = True) -> AsyncIterator[Connection]:
    """A connection on which every read sees the same committed state."""
    async with (
        pool.acquire(timeout=ACQUIRE_SECONDS) as db,
        db.transaction(isolation="repeatable_read", readonly=readonly),
    ):
        yield db


async def known(db: Connection, municipality: str, asked: int | datetime | None = None) -> Known:
    """How far a lane had come: at a position, at an instant, or by now; position 0 before its first fact.

    Raises BeyondLane for a position that does not exist yet. An instant to come is now.
    """
    # A lane with evidence or heartbeats alone has a row, and no fact that anything is known from.
    latest = await db.fetchval(LATEST, municipality) or 0
    match asked:
        case int() if asked > latest:
            raise BeyondLane(latest)
        case int():
            position = asked
        case datetime():
            position = await db.fetchval(POSITION_AT, municipality, asked, latest)
        case None:
            position = latest
    return Known(position, await db.fetchval(RECORDED_AT, municipality, position), latest=position == latest)


LATEST = "SELECT position FROM lane WHERE municipality = $1"
RECORDED_AT = "SELECT recorded_at FROM ledger WHERE municipality = $1 AND position = $2"
# Positions have no gaps and their instants never decrease, so the last one that is not later is found by halving.
POSITION_AT = """
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, $3::bigint
    UNION ALL
    SELECT
        CASE WHEN middle.recorded_at <= $2 THEN middle.position ELSE low END,
        CASE WHEN middle.recorded_at <= $2 THEN high ELSE middle.position - 1 END
    FROM search
    CROSS JOIN LATERAL (
        SELECT position, recorded_at FROM ledger WHERE municipality = $1 AND position = (low + high + 1) / 2
    ) AS middle
    WHERE low < high
)
SELECT low FROM search WHERE low = high
"""


async def definitions_of(db: Connection, municipality: str) -> dict[tuple[str, int], int]:
    """The measures that a lane keeps, as (id, version), each with the position from which it is in force."""
    rows = await db.fetch(DEFINITIONS, municipality)
    return {(row["measure"], row["version"]): row["in_force_from"] for row in rows}


DEFINITIONS = "SELECT measure, version, in_force_from FROM definition WHERE municipality = $1"


async def figure_at(db: Connection, question: Question, lane: Known, *, from_deltas: bool = False) -> Figure:
    """The answer to one question, as `figures_at` gives it."""
    return (await figures_at(db, [question], lane, from_deltas=from_deltas))[0]


async def figures_at(
    db: Connection, questions: Sequence[Question], lane: Known, *, from_deltas: bool = False
) -> list[Figure]:
    """The answers to questions about one municipality at a position of its lane; without the number of facts behind.

    At the lane's latest position they come from the running sums, else, or when told so, from the deltas up to there.
    """
    found = await sums(db, questions, lane, from_deltas=from_deltas)
    return [answer(question, lane, parts) for question, parts in zip(questions, found, strict=True)]


async def sums(
    db: Connection, questions: Sequence[Question], lane: Known, *, from_deltas: bool = False
) -> list[list[list[Sum]]]:
    """For each question and each measure of its indicator: the amounts of its days, per combination of dimensions.

    Of a median alone: what its contributors bring. Combinations that come to nothing are left out: which ones have rows
    depends on what was once mistaken. The connection must be in a transaction.
    """
    windows = [(question, measure) for question in questions for measure in _added_up(question)]
    found: list[list[Sum]] = [[] for _ in windows]
    ways: dict[str, list[int]] = {}
    for place, (question, _) in enumerate(windows):
        ways.setdefault(_way(question, running=lane.latest and not from_deltas), []).append(place)
    async with planned_for_sums(db):
        for statement, places in ways.items():
            columns = zip(*(columns_of(place, *windows[place]) for place in places), strict=True)
            for row in await db.fetch(statement, questions[0].municipality, lane.position, *columns):
                found[row["place"]].append(Sum(row["dimensions"], row["amount"], row.get("contributors", 1)))
    remaining = iter(found)
    return [[next(remaining) for _ in _added_up(question)] for question in questions]


@asynccontextmanager
async def planned_for_sums(db: Connection) -> AsyncIterator[None]:
    """While deltas and running sums are added up; the connection must be in a transaction."""
    # Many amounts fall into few groups, which the planner does not foresee; to sort them all takes thrice the time.
    await db.execute("SET LOCAL enable_sort = off")
    yield
    await db.execute("SET LOCAL enable_sort TO DEFAULT")


def _added_up(question: Question) -> tuple[Measure, ...]:
    """Below a median nothing is added up: who is counted there is what it is taken over."""
    return question.indicator.measures[:1] if question.indicator.reading == "median" else question.indicator.measures


def _way(question: Question, *, running: bool) -> str:
    if question.indicator.evaluated_at:
        return EVALUATED_RUNNING_SUMS if running else EVALUATED_DELTAS
    if question.indicator.reading == "median":
        return SPREAD_OF_DELTAS
    return RUNNING_SUMS if running else DELTAS


def columns_of(place: int, question: Question, measure: Measure) -> tuple[Any, ...]:
    """A row of what ASKED wants: what to add up, from which day to which, averaged from which, of which cohorts."""
    kind, other = question.indicator.kind, question.indicator.evaluated_at or question.indicator.denominator
    months = (question.first, question.until) if kind == "cohort" else (None, None)
    return (
        place,
        measure.id,
        measure.version,
        _first_day(question),
        question.last,
        question.first if question.days else None,
        *months,
        *((other.id, other.version) if other else (None, None)),
    )


def _first_day(question: Question) -> date | None:
    """A flow alone begins on a day; what a stock or a cohort stands on may have happened at any time before."""
    return question.first if question.indicator.kind == "flow" else None


ASKED = """
WITH asked AS (
    SELECT * FROM unnest(
        $3::integer[], $4::text[], $5::integer[], $6::date[], $7::date[], $8::date[], $9::date[], $10::date[],
        $11::text[], $12::integer[]
    ) AS asked (
        place, measure, version, first, last, averaged_from, cohort_first, cohort_until, other, other_version
    )
), moved AS NOT MATERIALIZED (
    SELECT {contributor} AS contributor, measure, definition_version AS version, cohort, date, dimensions, amount
    FROM {table}
    WHERE municipality = $1 AND {position}
)
"""
# What moves on a day of an average stands from then on for the rest of its days.
AMOUNT = """
sum(moved.amount * CASE
    WHEN asked.averaged_from IS NULL THEN 1
    ELSE asked.last - greatest(moved.date, asked.averaged_from) + 1
END)
"""
WITHIN = """
moved.date BETWEEN coalesce(asked.first, '-infinity') AND asked.last
AND (asked.cohort_first IS NULL OR asked.cohort_first <= moved.cohort)
AND (asked.cohort_until IS NULL OR moved.cohort < asked.cohort_until)
"""
SUMS = f"""
SELECT asked.place, moved.dimensions, moved.contributor, {AMOUNT} AS amount
FROM asked
JOIN moved ON moved.measure = asked.measure AND moved.version = asked.version AND {WITHIN}
GROUP BY 1, 2, 3
HAVING {AMOUNT} <> 0
"""  # noqa: S608 - no input
# A median needs no contributor by name, only how many bring each amount: few rows, however many persons there are.
SPREAD = f"""
, brought AS (
    SELECT
        asked.place, moved.dimensions, moved.contributor,
        coalesce({AMOUNT} FILTER (WHERE moved.measure = asked.measure), 0) AS amount,
        {AMOUNT} FILTER (WHERE moved.measure = asked.other) AS counted
    FROM asked
    JOIN moved
        ON moved.measure IN (asked.measure, asked.other)
        AND moved.version = CASE moved.measure WHEN asked.measure THEN asked.version ELSE asked.other_version END
        AND {WITHIN}
    GROUP BY 1, 2, 3
)
SELECT place, dimensions, amount, count(*) AS contributors
FROM brought
WHERE counted <> 0
GROUP BY 1, 2, 3
"""  # noqa: S608 - no input
# Each part is read on the last day that the other measure moved in it; where it never did, there is nothing to read.
# LATERAL is one look into the index for each part; a plain join may read every measure instead.
EVALUATED_SUMS = """
, moving AS (
    SELECT asked.place, moved.dimensions, moved.date
    FROM asked
    JOIN moved
        ON moved.measure = asked.other
        AND moved.version = asked.other_version
        AND moved.date <= asked.last
    GROUP BY 1, 2, 3
    HAVING sum(moved.amount) <> 0
), evaluated AS (
    SELECT place, dimensions, max(date) AS last FROM moving GROUP BY 1, 2
)
SELECT asked.place, found.dimensions, found.contributor, sum(found.amount) AS amount
FROM asked
JOIN evaluated ON evaluated.place = asked.place
CROSS JOIN LATERAL (
    SELECT * FROM moved
    WHERE measure = asked.measure AND version = asked.version
        AND date <= evaluated.last AND dimensions @> evaluated.dimensions
    OFFSET 0
) AS found
GROUP BY 1, 2, 3
HAVING sum(found.amount) <> 0
"""
# Both want the position, so that one call serves both; a running sum stands at the latest.
OF_RUNNING_SUMS = ASKED.format(contributor="NULL::text", table="running_sum", position="$2::bigint IS NOT NULL")
OF_DELTAS = ASKED.format(contributor="NULL::text", table="delta", position="position <= $2::bigint")
OF_CONTRIBUTORS = ASKED.format(contributor="contributor", table="delta", position="position <= $2::bigint")
RUNNING_SUMS = OF_RUNNING_SUMS + SUMS
DELTAS = OF_DELTAS + SUMS
SPREAD_OF_DELTAS = OF_CONTRIBUTORS + SPREAD
EVALUATED_RUNNING_SUMS = OF_RUNNING_SUMS + EVALUATED_SUMS
EVALUATED_DELTAS = OF_DELTAS + EVALUATED_SUMS


async def with_facts(db: Connection, figures: Sequence[Figure]) -> list[Figure]:
    """The same figures with the number of facts of their days that count.

    Past positions do not keep that number, and a lane that an older impact moved lacks it until the next batch.
    """
    asked = [
        (place, event.contract.type, _first_day(figure.question), figure.question.last)
        for place, figure in enumerate(figures)
        for event in figure.question.indicator.sources
        if figure.known.latest
    ]
    if not asked:
        return list(figures)
    rows = await db.fetch(FACTS_BEHIND, figures[0].question.municipality, *zip(*asked, strict=True))
    counts = {row["place"]: row["facts"] for row in rows}
    return [
        replace(figure, facts=counts.get(place)) if figure.known.latest else figure
        for place, figure in enumerate(figures)
    ]


FACTS_BEHIND = """
SELECT asked.place, coalesce(sum(known.facts), 0)::bigint AS facts
FROM unnest($2::integer[], $3::text[], $4::date[], $5::date[]) AS asked (place, type, first, last)
LEFT JOIN counted_day AS known
    ON known.municipality = $1 AND known.type = asked.type
    AND known.occurred_on BETWEEN coalesce(asked.first, '-infinity') AND asked.last
WHERE NOT EXISTS (SELECT FROM lane WHERE municipality = $1 AND days_upto <> position)
GROUP BY 1
"""

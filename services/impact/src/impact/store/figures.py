"""What figures are made from: running sums, the lane, the facts behind; one snapshot gives answers that agree."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chassis.database import ACQUIRE_SECONDS, Connection, Pool
from impact.figures import Known, Question, Sum


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Connection]:
    """A connection on which every read sees the same committed state."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db, db.transaction(isolation="repeatable_read", readonly=True):
        yield db


async def known(db: Connection, municipality: str) -> Known:
    """How far the lane has come; position 0 before its first fact."""
    lane = await db.fetchrow(KNOWN, municipality)
    return Known(**lane) if lane else Known(0, None)


# A lane with evidence or heartbeats alone has a row, and no fact that anything is known from.
KNOWN = "SELECT position, recorded_at AS at FROM lane WHERE municipality = $1 AND position > 0"


async def sums(db: Connection, municipality: str, questions: Sequence[Question]) -> list[list[list[Sum]]]:
    """For each question and each measure of its indicator: the amounts of its days, per combination of dimensions."""
    windows = [(question, measure) for question in questions for measure in question.indicator.measures]
    rows = await db.fetch(
        SUMS,
        municipality,
        [measure.id for _, measure in windows],
        [measure.version for _, measure in windows],
        [question.first for question, _ in windows],
        [question.last for question, _ in windows],
    )
    found: list[list[Sum]] = [[] for _ in windows]
    for row in rows:
        found[row["place"] - 1].append(Sum(row["dimensions"], row["amount"]))
    remaining = iter(found)
    return [[next(remaining) for _ in question.indicator.measures] for question in questions]


SUMS = """
SELECT asked.place, summed.dimensions, sum(summed.amount) AS amount
FROM unnest($2::text[], $3::integer[], $4::date[], $5::date[]) WITH ORDINALITY
    AS asked (measure, version, first, last, place)
JOIN running_sum AS summed
    ON summed.municipality = $1
    AND summed.measure = asked.measure
    AND summed.definition_version = asked.version
    AND summed.date BETWEEN coalesce(asked.first, '-infinity') AND asked.last
GROUP BY asked.place, summed.dimensions
"""


async def facts_behind(db: Connection, municipality: str, questions: Sequence[Question]) -> list[int]:
    """For each question: the facts of its days that its rules read; a correction that waits is not among them."""
    asked = [
        (place, event.contract.type, question.first, question.last)
        for place, question in enumerate(questions)
        for event in question.indicator.sources
    ]
    counted = {
        row["place"]: row["facts"] for row in await db.fetch(FACTS_BEHIND, municipality, *zip(*asked, strict=True))
    }
    return [counted.get(place, 0) for place in range(len(questions))]


FACTS_BEHIND = """
SELECT asked.place, count(*) AS facts
FROM unnest($2::integer[], $3::text[], $4::date[], $5::date[]) AS asked (place, type, first, last)
JOIN ledger AS fact
    ON fact.municipality = $1
    AND fact.kind = 'fact'
    AND fact.parked IS NULL
    AND fact.type = asked.type
    AND fact.occurred_on BETWEEN coalesce(asked.first, '-infinity') AND asked.last
    AND NOT fact.body ? 'corrects'
GROUP BY asked.place
"""

"""What a receipt is made from: amounts per contributor, and every fact of their histories up to a position."""

from collections.abc import Collection

from asyncpg import Record

from chassis.database import Connection
from impact.figures import Question
from impact.fold import History
from impact.openings import histories_that_open
from impact.receipts import Cause, Contribution, Entered
from impact.store.figures import ASKED, EVALUATED_SUMS, SUMS, columns_of
from impact.store.recall import CHAINS, known_of


async def contributions(db: Connection, question: Question, position: int) -> list[Contribution]:
    """What each contributor brings by the end of the question's days, as known at a position; never nothing."""
    way = EVALUATED_SUMS if question.indicator.evaluated_at else SUMS
    measures = question.indicator.measures
    columns = zip(*(columns_of(place, question, measure) for place, measure in enumerate(measures)), strict=True)
    rows = await db.fetch(OF_CONTRIBUTORS + way, question.municipality, position, *columns)
    return [_contribution(question, row) for row in rows]


OF_CONTRIBUTORS = ASKED.format(
    contributor="ARRAY[key, contributor, person]", table="delta", position="position <= $2::bigint"
)


def _contribution(question: Question, row: Record) -> Contribution:
    key, contributor, person = row["contributor"][:3]
    return Contribution(
        role="denominator" if row["place"] else "numerator",
        measure=question.indicator.measures[row["place"]],
        key=key,
        contributor=contributor,
        person=person,
        dimensions=row["dimensions"],
        amount=row["amount"],
    )


async def causes(db: Connection, question: Question, *, since: int, position: int) -> list[Cause]:
    """What moved these amounts after a position, up to another: each fact's own, per contributor.

    Of an indicator that is read on the days of its snapshots, also what is dated after those days.
    """
    measures = question.indicator.measures
    columns = zip(*(columns_of(place, question, measure) for place, measure in enumerate(measures)), strict=True)
    rows = await db.fetch(MOVED + SUMS, question.municipality, position, *columns, since)
    return [_cause(question, row) for row in rows]


# The position rides along with the contributor, so that amounts are added up per fact.
MOVED = ASKED.format(
    contributor="ARRAY[key, contributor, person, position::text]",
    table="delta",
    position="position <= $2::bigint AND position > $13::bigint",
)


def _cause(question: Question, row: Record) -> Cause:
    return Cause(int(row["contributor"][3]), _contribution(question, row))


async def told(
    db: Connection, municipality: str, histories: Collection[History], positions: Collection[int], upto: int
) -> list[Entered]:
    """The facts of these histories and at these positions, up to a position, each once, with what decides on them.

    These are their chains, and the histories of what opens them.
    """
    found = {each.fact.position: each for each in await _members(db, municipality, histories, upto)}
    found |= {each.fact.position: each for each in await _at(db, municipality, positions)}
    openings = {history for each in found.values() for history in histories_that_open(each.fact.event)}
    found |= {each.fact.position: each for each in await _members(db, municipality, openings, upto)}
    ends = {(each.fact.source, each.fact.id) for each in found.values()}
    rows = await db.fetch(CHAINS, municipality, [source for source, _ in ends], [name for _, name in ends])
    found |= {row["position"]: _entered(row) for row in rows if row["position"] <= upto}
    return [found[position] for position in sorted(found)]


async def _members(db: Connection, municipality: str, histories: Collection[History], upto: int) -> list[Entered]:
    if not histories:
        return []
    kinds, keys = [kind for kind, _ in histories], [key for _, key in histories]
    rows = await db.fetch(MEMBERS, municipality, kinds, keys, upto)
    return [_entered(row) for row in rows]


FACT = """
    fact.position, fact.source, fact.event_id, fact.type, fact.time,
    fact.body ->> 'data' AS data, fact.body ->> 'corrects' AS corrects, fact.concerns AS parked_at,
    NULL::bigint AS root, NULL::timestamptz AS root_time, NULL::text AS root_id,
    'counted' AS outcome, fact.recorded_at
"""
MEMBERS = f"""
SELECT DISTINCT ON (fact.position) {FACT}
FROM unnest($2::text[], $3::text[]) AS asked (kind, key)
JOIN history AS member
    ON member.municipality = $1 AND member.kind = asked.kind AND member.key = asked.key AND member.position <= $4
JOIN ledger AS fact ON fact.municipality = $1 AND fact.position = member.position
"""  # noqa: S608 - no input


async def _at(db: Connection, municipality: str, positions: Collection[int]) -> list[Entered]:
    rows = await db.fetch(AT, municipality, list(positions)) if positions else []
    return [_entered(row) for row in rows]


AT = f"SELECT {FACT} FROM ledger AS fact WHERE municipality = $1 AND position = ANY ($2::bigint[])"  # noqa: S608 - no input


def _entered(row: Record) -> Entered:
    return Entered(known_of(row).fact, row["recorded_at"])


async def parked(db: Connection, municipality: str, upto: int) -> dict[str, int]:
    """How many facts stood outside every history at a position, by reason."""
    return {row["reason"]: row["facts"] for row in await db.fetch(PARKED, municipality, upto)}


# What was tried last decides, as far as it was tried by then.
PARKED = """
SELECT coalesce(last.parked, first.parked) AS reason, count(*) AS facts
FROM ledger AS first
LEFT JOIN LATERAL (
    SELECT kind, parked FROM ledger
    WHERE municipality = $1 AND concerns = first.position AND position <= $2
    ORDER BY position DESC
    LIMIT 1
) AS last ON true
WHERE first.municipality = $1 AND first.kind = 'fact' AND first.parked IS NOT NULL AND first.position <= $2
    AND (last.kind IS DISTINCT FROM 'replay' OR last.parked IS NOT NULL)
GROUP BY 1
ORDER BY 1
"""

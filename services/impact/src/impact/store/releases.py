"""What releases are made from, and the releases themselves, which no statement edits."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from pydantic_core import to_json

from chassis.database import Connection
from impact.disclosure import Release, is_rate
from impact.figures import Question, Status, Value
from impact.store.figures import planned_for_sums

Row: TypeAlias = tuple[int | str | date | None, ...]

SECONDS = 300


async def allow_minutes(db: Connection) -> None:
    """Have what follows in this transaction take as long as a large lane needs: longer than a request may."""
    await db.execute("SELECT set_config('statement_timeout', $1, true)", f"{SECONDS}s")


@asynccontextmanager
async def turn(db: Connection, municipality: str) -> AsyncIterator[bool]:
    """Whether no other worker is at this municipality's releases; if so, none will be until the end.

    Raises one of UNAVAILABLE, at the end too, when the connection has died, and the turn with it.
    """
    with _ended_by_any_failure(db):
        ours = bool(await db.fetchval(TAKE_TURN, municipality))
    try:
        yield ours
    finally:
        if ours:
            with _ended_by_any_failure(db):
                await db.execute(END_TURN, municipality)


@contextmanager
def _ended_by_any_failure(db: Connection) -> Iterator[None]:
    """End the session when nobody can tell any more whether it has the turn: a pool would keep both."""
    try:
        yield
    except BaseException:
        db.terminate()
        raise


# Taken before the snapshot, which could otherwise be older than the release that the other worker just made; so it is
# the session's rather than the transaction's.
TAKE_TURN = "SELECT pg_try_advisory_lock(hashtext('impact.release'), hashtext($1))"
END_TURN = "SELECT pg_advisory_unlock(hashtext('impact.release'), hashtext($1))"


async def latest(db: Connection, municipality: str) -> Release | None:
    """The last release of a municipality; None before the first."""
    row = await db.fetchrow(LATEST, municipality)
    if row is None:
        return None
    values = await db.fetch(WHOLES, municipality, row["number"])
    wholes = {
        (value["indicator"], value["definition_version"]): Value(
            Status(value["status"]), value["value"], value["numerator"], value["denominator"]
        )
        for value in values
    }
    return Release(**row, wholes=wholes)


LATEST = """
SELECT municipality, number, position, as_of, known_as_of FROM release
WHERE municipality = $1 ORDER BY number DESC LIMIT 1
"""
WHOLES = """
SELECT indicator, definition_version, value, numerator, denominator, status FROM release_value
WHERE municipality = $1 AND number = $2 AND dimensions = '{}'
"""


class Asked(NamedTuple):
    """The same indicator at two (position, date) pairs."""

    before: Question
    after: Question


async def persons_moved(db: Connection, municipality: str, asked: Sequence[Asked], *, before: int, after: int) -> int:
    """How many distinct persons contribute differently to any measure at the one position and at the other."""
    rows = [
        (place, measure.id, measure.version, *_window(each.before), *_window(each.after))
        for place, each in enumerate(asked)
        for measure in each.after.indicator.kept
    ]
    # Where both pairs are of the same days, what was known at the first counts at both.
    same_days = all(_window(each.before) == _window(each.after) for each in asked)
    asked_for = (municipality, before, after, before if same_days else 0, *zip(*rows, strict=True))
    return int(await db.fetchval(PERSONS_MOVED, *asked_for, timeout=SECONDS))


# What counts at both pairs cancels out. Contributions without a person may be anybody's: count() passes over them.
PERSONS_MOVED = """
SELECT count(DISTINCT person)
FROM (
    SELECT delta.person
    FROM unnest(
        $5::integer[], $6::text[], $7::integer[],
        $8::date[], $9::date[], $10::text[]::jsonb[],
        $11::date[], $12::date[], $13::text[]::jsonb[]
    ) AS asked (
        place, measure, version, first_before, last_before, held_before, first_after, last_after, held_after
    )
    JOIN delta
        ON delta.municipality = $1
        AND delta.position > $4
        AND delta.measure = asked.measure
        AND delta.definition_version = asked.version
    CROSS JOIN LATERAL (
        SELECT
            delta.position <= $2
            AND delta.date BETWEEN coalesce(first_before, '-infinity') AND last_before
            AND delta.dimensions @> held_before AS before,
            delta.position <= $3
            AND delta.date BETWEEN coalesce(first_after, '-infinity') AND last_after
            AND delta.dimensions @> held_after AS after
    ) AS counts
    WHERE counts.before <> counts.after
    GROUP BY asked.place, asked.measure, delta.person
    HAVING sum(CASE WHEN counts.after THEN delta.amount ELSE -delta.amount END) <> 0
) AS moved
"""


async def groups_behind(
    db: Connection, municipality: str, questions: Sequence[Question], position: int
) -> list[list[int]]:
    """For each question, of how many distinct persons the groups are that can be told apart behind its whole.

    Rates over the same persons tell them apart together, by which of the rates count them: an answer to two of them is
    an answer about what the one leaves of the other. Of any other figure all persons are one group.
    """
    standing = [tuple(_standing(question, questions)) for question in questions]
    groups: dict[tuple[Row, ...], list[int]] = {behind: [] for behind in standing}
    rows = [(place, *each) for place, behind in enumerate(groups) for each in behind]
    async with planned_for_sums(db):
        found = await db.fetch(GROUPS_BEHIND, municipality, position, *zip(*rows, strict=True), timeout=SECONDS)
    places = list(groups.values())
    for row in found:
        places[row["place"]].append(row["persons"])
    return [groups[behind] for behind in standing]


# A contributor whose person nobody told stands for itself. What several ask for is read once.
GROUPS_BEHIND = """
WITH asked AS MATERIALIZED (
    SELECT *, dense_rank() OVER (ORDER BY measure, version, first, last, held) AS way
    FROM unnest(
        $3::integer[], $4::bigint[], $5::text[], $6::integer[], $7::date[], $8::date[], $9::text[]::jsonb[]
    ) AS asked (place, counts, measure, version, first, last, held)
), brought AS MATERIALIZED (
    SELECT asked.way, delta.contributor, max(delta.person) AS person
    FROM (SELECT DISTINCT way, measure, version, first, last, held FROM asked) AS asked
    JOIN delta
        ON delta.municipality = $1
        AND delta.position <= $2
        AND delta.measure = asked.measure
        AND delta.definition_version = asked.version
        AND delta.date BETWEEN coalesce(asked.first, '-infinity') AND asked.last
        AND delta.dimensions @> asked.held
    GROUP BY asked.way, delta.contributor
    HAVING sum(delta.amount) <> 0
), standing AS (
    SELECT
        asked.place, coalesce(max(brought.person), brought.contributor) AS person, sum(asked.counts) AS counted_by
    FROM brought
    JOIN asked USING (way)
    GROUP BY asked.place, brought.contributor
)
SELECT place, count(*) AS persons
FROM (SELECT DISTINCT place, counted_by, person FROM standing) AS one
GROUP BY place, counted_by
"""


def _standing(question: Question, questions: Iterable[Question]) -> Iterator[Row]:
    """Who stands behind a question, and who is counted by it and each rate beside it, a binary digit for each."""
    indicator = question.indicator
    population = indicator.population or indicator.denominator or indicator.numerator
    beside = [each for each in questions if is_rate(indicator) and _is_over_the_same(question, each)]
    measures = [(0, population), *((2**number, each.indicator.numerator) for number, each in enumerate(beside))]
    for counts, measure in measures:
        yield counts, measure.id, measure.version, *_window(question)


def _is_over_the_same(one: Question, other: Question) -> bool:
    """Whether two questions are rates of the very same; each is of itself."""
    same = one.indicator.denominator == other.indicator.denominator and _window(one) == _window(other)
    return same and is_rate(other.indicator)


def _window(question: Question) -> tuple[date | None, date, str]:
    """The days that count, and the dimensions that are held."""
    held = question.indicator.held_on(question.as_of, question.by)
    return question.first, question.last, to_json(held).decode()


async def append(db: Connection, release: Release, units: Mapping[str, str], *, released_at: datetime, k: int) -> None:
    """Write a release of wholes; `units` are those of its indicators."""
    place = (release.municipality, release.number)
    await db.execute(APPEND, *place, release.position, release.as_of, release.known_as_of, released_at, k)
    await db.execute(APPEND_WHOLES, *place, *zip(*_rows(release.wholes, units), strict=True))


APPEND = """
INSERT INTO release (municipality, number, position, as_of, known_as_of, released_at, k, breakdowns)
VALUES ($1, $2, $3, $4, $5, $6, $7, false)
"""
APPEND_WHOLES = """
INSERT INTO release_value (
    municipality, number, dimensions, indicator, definition_version, unit, status, value, numerator, denominator
)
SELECT $1, $2, '{}', *
FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::numeric[], $8::numeric[], $9::numeric[])
"""


def _rows(wholes: Mapping[tuple[str, int], Value], units: Mapping[str, str]) -> Iterable[tuple[object, ...]]:
    for (indicator, version), whole in wholes.items():
        yield indicator, version, units[indicator], whole.status, whole.value, whole.numerator, whole.denominator

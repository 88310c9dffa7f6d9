"""A lane told again: its entries in order of position, and tables beside the live ones that take what follows.

The tables beside are temporary and have the live ones' names: on their connection every statement that names no schema
means them. So a rebuild runs the very statements that the ingest runs.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from asyncpg import Record
from pydantic import ValidationError

from chassis.database import ACQUIRE_SECONDS, Connection, Pool
from chassis.wire import Unreadable, hash_of
from contracts.catalogue import BY_TYPE
from contracts.event import Event
from impact.chronicle import Chronicle, Outcome, Told
from impact.fold import Fact, Measure
from impact.ledger import Entry, Parked
from impact.store.recall import recall
from impact.supersession import target_of

PAGE = 250
# Others on the same event loop have their turn in between.
SLICE = 20
LONGEST = 3600.0
COLUMNS = {
    "link": "position, source, event_id, target",
    "history": "kind, key, position, root",
    "delta": (
        "position, measure, definition_version, ordinal, key, contributor, person, cohort, date, amount, dimensions"
    ),
    "running_sum": "measure, definition_version, cohort, date, dimensions, amount",
    "outcome": "position, outcome",
    "outcome_count": "source, received_on, outcome, facts",
    "counted_day": "type, occurred_on, facts",
}
# A count that went back to nought says what its absence says. Days that an older impact left uncounted say nothing.
STANDING = {
    "outcome_count": "facts <> 0",
    "counted_day": "facts <> 0 AND EXISTS (SELECT FROM lane WHERE municipality = $1 AND days_upto = position)",
}


class NotAsAdmitted(Exception):
    """A fact of the ledger is not what was admitted, or cannot be read any more; `position` says which."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@asynccontextmanager
async def beside(pool: Pool) -> AsyncIterator[Connection]:
    """A connection with empty tables beside; it ends with them.

    Nothing holds a transaction open for as long as a lane takes: the database cleans up nothing that came after it.
    """
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as db:
        try:
            for table in COLUMNS:
                await db.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL)")
            await db.execute("SET search_path = pg_temp, public")
            await db.execute("SET statement_timeout = 0")
            # A plan made while the tables beside are empty must not be kept until they are full.
            await db.execute("SET plan_cache_mode = force_custom_plan")
            yield db
        finally:
            db.terminate()


async def entries(
    db: Connection, municipality: str, measures: Sequence[Measure], *, after: int, upto: int
) -> AsyncIterator[Sequence[Entry]]:
    """Tell the entries of (`after`, `upto`], page by page; what follows from one must be written before the next.

    As with a batch, what a page touches is recalled from the tables, so that memory does not grow with the lane. Raises
    RuleError, NotAsAdmitted.
    """
    while after < upto:
        rows = await db.fetch(ENTRIES, municipality, after, min(after + PAGE, upto))
        facts = await _facts_of(rows)
        chronicle = Chronicle(measures)
        ends = {(fact.source, name) for fact in facts.values() for name in (fact.id, target_of(fact)) if name}
        await recall(db, municipality, ends, [fact.event for fact in facts.values()], chronicle)
        yield await _entries_of(rows, facts, chronicle)
        after = min(after + PAGE, upto)


ENTRIES = """
SELECT
    position, kind, source, event_id, type, time, body ->> 'data' AS data, body ->> 'corrects' AS corrects,
    body::text AS body, body_hash, concerns, parked
FROM ledger
WHERE municipality = $1 AND position > $2 AND position <= $3
ORDER BY position
"""


async def _facts_of(rows: Sequence[Record]) -> dict[int, Fact]:
    """Those to tell, by position."""
    facts = dict[int, Fact]()
    for part in _parts(rows):
        facts |= {row["position"]: _fact_of(row) for row in part if not row["parked"] and row["kind"] != "discard"}
        await asyncio.sleep(0)
    return facts


async def _entries_of(rows: Sequence[Record], facts: Mapping[int, Fact], chronicle: Chronicle) -> list[Entry]:
    entries: list[Entry] = []
    for part in _parts(rows):
        entries += [_told(row, facts.get(row["position"]), chronicle) for row in part]
        await asyncio.sleep(0)
    return entries


def _parts(rows: Sequence[Record]) -> Iterator[Sequence[Record]]:
    return (rows[start : start + SLICE] for start in range(0, len(rows), SLICE))


def _fact_of(row: Record) -> Fact:
    return Fact(
        row["position"],
        row["source"],
        row["event_id"],
        row["type"],
        row["time"],
        _admitted(row),
        corrects=row["corrects"],
        parked_at=row["concerns"],
    )


def _told(row: Record, fact: Fact | None, chronicle: Chronicle) -> Entry:
    """What was parked stays parked: that was decided then."""
    if fact:
        return Entry(fact.position, fact, None, chronicle.tell(fact))
    outcomes = {row["position"]: Outcome.PARKED} if row["parked"] and row["kind"] == "fact" else {}
    return Entry(row["position"], None, Parked(row["parked"]) if row["parked"] else None, Told(outcomes=outcomes))


def _admitted(row: Record) -> Event:
    """What a body says, if it is the very body that was admitted: an edited one would become the figures."""
    try:
        if hash_of(row["body"]) == row["body_hash"]:
            return BY_TYPE[row["type"]].model_validate_json(row["data"])
    except (KeyError, ValidationError, Unreadable):
        pass
    raise NotAsAdmitted(row["position"])


async def differences(db: Connection, municipality: str) -> dict[str, int]:
    """How many rows of each live table differ from the one beside: missing, odd, or other than they should be."""
    return {table: await db.fetchval(_differing(table), municipality, timeout=LONGEST) for table in COLUMNS}


def _differing(table: str) -> str:
    live, beside = (
        f"SELECT {COLUMNS[table]} FROM {schema}.{table} WHERE municipality = $1 AND {STANDING.get(table, 'true')}"  # noqa: S608 - no input
        for schema in ("public", "pg_temp")
    )
    odd = f"(({live}) EXCEPT ALL ({beside})) UNION ALL (({beside}) EXCEPT ALL ({live}))"
    return f"SELECT count(*) FROM ({odd}) AS odd"  # noqa: S608 - no input


async def replace(db: Connection, municipality: str, tables: Sequence[str]) -> None:
    """Put the tables beside in the place of the live ones. The lane must be locked."""
    for table in tables:
        columns = f"municipality, {COLUMNS[table]}"
        deletion = f"DELETE FROM public.{table} WHERE municipality = $1"  # noqa: S608 - no input
        insertion = f"INSERT INTO public.{table} ({columns}) SELECT {columns} FROM pg_temp.{table}"  # noqa: S608
        await db.execute(deletion, municipality, timeout=LONGEST)
        await db.execute(insertion, timeout=LONGEST)

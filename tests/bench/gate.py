"""The gate: a rate counts only if what came of it is right, by all that the contender promises."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from time import monotonic

from chassis.database import Connection, Pool, create_pool
from impact.catalogue import INDICATORS, measures_of
from impact.rebuild import compare
from impact.store.conservation import deliveries
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from tests.bench.contenders.contender import Promise
from tests.bench.workload import Workload

MEASURES = measures_of(INDICATORS)
MID_YEAR = date(2026, 6, 30)


class GateRed(Exception):
    """A contender did not do what it promises; the text says what."""


@dataclass(slots=True)
class Checked:
    """What a gate saw: how much it compared, how long telling the ledger again took, and marks of what was written."""

    facts: int = 0
    cells: int = 0
    retold_seconds: float = 0.0
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)


async def check(dsn: str, name: str, promise: Promise, works: Iterable[Workload]) -> Checked:
    """Hold what a contender wrote of these workloads, all on one lane, against what it promises. Raises GateRed."""
    seen = Checked()
    if not promise:
        return seen
    works = list(works)
    municipality = works[0].stream.municipality
    async with await create_pool(dsn, name="gate") as pool:
        if Promise.LEDGER in promise:
            await _ledger(pool, name, municipality, works, seen)
        if Promise.ROWS in promise:
            await _rows(pool, name, municipality, seen)
        if Promise.FIGURES in promise:
            await _figures(pool, name, municipality, seen)
        async with snapshot(pool) as db:
            seen.marks = {table: await _mark(db, mark) for table, mark in MARKS.items()}
    return seen


def agree(name: str, seen: Checked, other_name: str, other: Checked) -> None:
    """Two contenders that took in the same wrote the same. Raises GateRed."""
    for table in seen.marks.keys() & other.marks.keys():
        if seen.marks[table] != other.marks[table]:
            raise GateRed(f"{name} and {other_name} took in the same, and their {table} differ")


async def _ledger(pool: Pool, name: str, municipality: str, works: Iterable[Workload], seen: Checked) -> None:
    expected = {identity: body for work in works for identity, body in work.first_copies.items()}
    delivered = sum(len(work.arriving) for work in works)
    async with snapshot(pool) as db:
        await _ledger_is(db, name, municipality, expected)
        counts = await _counted(db, municipality)
    right = {"first_copies": len(expected), "duplicates": delivered - len(expected), "conflicts": 0, "unreadable": 0}
    # What waits longer than ack_wait on a busy machine is delivered again, and that is a duplicate as well.
    again = max(0, counts["duplicates"] - right["duplicates"])
    if counts != right | {"duplicates": right["duplicates"] + again}:
        raise GateRed(f"{name}: its account of deliveries says {counts}, and it was sent {right}")
    seen.facts = len(expected)


async def came(dsn: str, name: str, work: Workload, *, after: int) -> int:
    """Behind a position a lane has each event of a workload once, and no other; where it ends. Raises GateRed."""
    async with await create_pool(dsn, name="gate") as pool, snapshot(pool) as db:
        await _ledger_is(db, name, work.stream.municipality, work.first_copies, after=after)
    return after + len(work.first_copies)


async def _ledger_is(
    db: Connection, name: str, municipality: str, expected: Mapping[tuple[str, str], bytes], *, after: int = 0
) -> None:
    query = "SELECT source, event_id, body_hash FROM ledger WHERE municipality = $1 AND position > $2"
    rows = await db.fetch(query, municipality, after)
    ledger = {(row["source"], row["event_id"]): row["body_hash"] for row in rows}
    if len(rows) != len(ledger) or ledger != expected:
        odd = len(rows) - len(ledger) + len(ledger.items() ^ expected.items())
        raise GateRed(f"{name}: the ledger is not what was sent, {odd} entries are missing, odd or there twice")


async def _counted(db: Connection, municipality: str) -> dict[str, int]:
    counts = {"first_copies": 0, "duplicates": 0, "conflicts": 0, "unreadable": 0}
    for (_, result), count in (await deliveries(db, municipality)).items():
        counts[result] += count
    return counts


async def _rows(pool: Pool, name: str, municipality: str, seen: Checked) -> None:
    began = monotonic()
    told_again = await compare(pool, municipality, MEASURES)
    seen.retold_seconds = monotonic() - began
    if told_again.differing:
        raise GateRed(f"{name}: its rows are not what the ledger gives: {told_again.differences}")
    async with snapshot(pool) as seen_now:
        found = (await thorough_balance(seen_now, municipality, MEASURES)).open_accounts
    if found:
        odd = ", ".join(f"{each.name} {each.of}" for each in found)
        raise GateRed(f"{name}: accounts do not close: {odd}")


async def _figures(pool: Pool, name: str, municipality: str, seen: Checked) -> None:
    async with snapshot(pool, readonly=False) as db:
        found = await verify(db, municipality, INDICATORS, [Pair(HORIZON), Pair(MID_YEAR)])
    if found.drift or not found.cells:
        raise GateRed(f"{name}: {len(found.drift)} of {found.cells} cells are not what the second implementation says")
    seen.cells = found.cells


async def _mark(db: Connection, statement: str) -> tuple[int, int]:
    row = await db.fetchrow(statement)
    assert row
    return row[0], row[1]


# Two contenders may be redelivered to in another order; what they come to may not differ.
MARKS = {
    "ledgers": "SELECT count(*), coalesce(sum(hashtextextended(concat_ws('#', source, event_id, body_hash), 0)), 0)"
    " FROM ledger",
    "outcomes": "SELECT count(*), coalesce(sum(hashtextextended(concat_ws('#', source, event_id, outcome), 0)), 0)"
    " FROM ledger JOIN outcome USING (municipality, position)",
    "deltas": "SELECT count(*), coalesce(sum(hashtextextended(net::text, 0)), 0) FROM ("
    " SELECT measure, definition_version, key, contributor, person, cohort, date, dimensions, trim_scale(sum(amount))"
    " FROM delta GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(amount) <> 0) AS net",
    "sums": "SELECT count(*), coalesce(sum(hashtextextended(known::text, 0)), 0) FROM ("
    " SELECT measure, definition_version, cohort, date, dimensions, trim_scale(amount) FROM running_sum"
    " WHERE amount <> 0) AS known",
}

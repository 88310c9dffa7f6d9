"""The books of a town, which must be right after whatever befell it: one oracle for every fault."""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from time import monotonic

import asyncpg

from chassis.database import create_pool
from chassis.wire import Unreadable, read
from contracts.streams import Stream
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import HEARD
from impact.rebuild import compare
from impact.store.conservation import balance
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from local import comparison
from local.expected.figures import expected_figures
from tests.faults.town import HEARTBEAT, MUNICIPALITY, PRODUCERS, Town

MEASURES = measures_of(INDICATORS)
SETTLE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
SHOWN = 5


class Wrong(AssertionError):
    """The books do not say what they must; the text says which and how."""


async def check(town: Town, *, seconds: float = SETTLE_SECONDS) -> None:
    """Return once every question is answered as it must be. Raises Wrong when one is not, so many seconds later."""
    deadline = monotonic() + seconds
    await town.hall.office.pipeline.counted()
    for question in QUESTIONS:
        while True:
            try:
                await question(town)
                break
            except Wrong:
                if monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)


async def outboxes_are_streams(town: Town) -> None:
    """Each stream holds what its producer's outbox does, and what strangers put there; nothing waits or is parked."""
    strangers = {*town.strangers}
    told = set[bytes]()
    for stream in town.streams:
        rows = await _rows(
            town, stream.producer, "SELECT body, published_at, parked_reason FROM outbox WHERE type NOT LIKE $1"
        )
        _same(f"{stream.producer}: waiting", 0, sum(row["published_at"] is None for row in rows))
        _same(f"{stream.producer}: parked", 0, sum(row["parked_reason"] is not None for row in rows))
        outbox, held = {row["body"] for row in rows}, await _bodies_on(town, stream)
        _alike(f"outbox of {stream.producer} and {stream.name}", outbox, held - strangers)
        told |= held
    _alike("what strangers told, on the streams", strangers, strangers & told)


async def streams_are_the_ledger(town: Town) -> None:
    """Every body on a stream is one fact or evidence, and nothing else is; positions have no gap."""
    facts = await _rows(town, "impact", "SELECT * FROM ledger WHERE type NOT LIKE $1 AND kind = 'fact'")
    evidence = await _rows(town, "impact", "SELECT kind, body_hash, raw FROM evidence WHERE kind NOT LIKE $1")
    readable, unreadable = set[bytes](), set[bytes]()
    for stream in town.streams:
        for body in await _bodies_on(town, stream):
            try:
                readable.add(read(body).body_hash)
            except Unreadable:
                unreadable.add(body)
    counted, conflicting = (
        [fact["body_hash"] for fact in facts],
        {e["body_hash"] for e in evidence if e["kind"] == "conflict"},
    )
    _same("facts that are there twice", 0, len(counted) - len({*counted}))
    _alike("streams and ledger", readable, {*counted} | conflicting)
    _alike("streams and evidence", unreadable, {each["raw"] for each in evidence if each["kind"] == "unreadable"})
    positions = await _rows(town, "impact", "SELECT position FROM ledger WHERE kind NOT LIKE $1 ORDER BY position")
    _same("positions", [*range(1, len(positions) + 1)], [row["position"] for row in positions])


async def accounts_close(town: Town) -> None:
    """Conservation and completeness: what was delivered and what was published is in exactly one count each.

    Of a source that only strangers have told of, no producer says how much there should be, and impact says so.
    """
    unheard = await _told_by_strangers_alone(town)
    async with await create_pool(town.stack.database_urls["impact"], name="books") as pool, snapshot(pool) as seen:
        found = (await thorough_balance(seen, MUNICIPALITY, MEASURES)).open_accounts
        _same("open accounts", [(HEARD, source) for source in unheard], [(each.name, each.of) for each in found])
        _same("complete", None if unheard else True, (await balance(seen, MUNICIPALITY)).complete)


async def sql_agrees(town: Town) -> None:
    """The second implementation finds the same figures."""
    async with await create_pool(town.stack.database_urls["impact"], name="books") as pool, snapshot(pool) as seen:
        _same("drift", (), (await verify(seen, MUNICIPALITY, INDICATORS, [Pair(HORIZON)])).drift)


async def a_rebuild_changes_nothing(town: Town) -> None:
    """Told again from the ledger, every row is what it is."""
    async with (
        await create_pool(town.stack.database_urls["impact"], name="books") as pool,
        pool.acquire() as db,
        db.transaction(isolation="repeatable_read"),
    ):
        _same("rows that differ", [], (await compare(db, MUNICIPALITY, MEASURES)).differing)


async def figures_are_the_simulators(town: Town) -> None:
    """Every figure and cell is what a slow calculation gives for what was registered."""
    day, actions = town.today, town.hall.year.actions
    expected = await asyncio.to_thread(expected_figures, actions, municipality=MUNICIPALITY, as_of=day, known_on=day)
    lines = await comparison.compare(town.hall.impact, expected, municipality=MUNICIPALITY, as_of=day, known_on=day)
    _same("figures that differ", [], [str(line) for line in lines if not line.agrees][:SHOWN])


async def _told_by_strangers_alone(town: Town) -> list[str]:
    """The sources of strangers' facts that no producer speaks of."""
    told = set[str]()
    for body in town.strangers:
        with suppress(Unreadable):
            told.add(read(body).envelope.source)
    spoken_of = set[str]()
    for producer in PRODUCERS:
        rows = await _rows(town, producer, "SELECT DISTINCT source FROM outbox WHERE type NOT LIKE $1")
        spoken_of |= {row["source"] for row in rows}
    return sorted(told - spoken_of)


async def _rows(town: Town, service: str, query: str) -> list[asyncpg.Record]:
    db = await asyncpg.connect(town.stack.database_urls[service])
    try:
        return list(await db.fetch(query, f"%{HEARTBEAT}%"))
    finally:
        await db.close()


async def _bodies_on(town: Town, stream: Stream) -> set[bytes]:
    return {message.data for message in await town.held(stream)}


def _same(what: str, expected: object, found: object) -> None:
    if found != expected:
        raise Wrong(f"{what}: {found}, expected {expected}")


def _alike(what: str, left: AbstractSet[bytes], right: AbstractSet[bytes]) -> None:
    """Say how two sets differ: how many, and the first of them."""
    if left != right:
        less, more = sorted(left - right), sorted(right - left)
        raise Wrong(f"{what}: {len(less)} missing, {len(more)} too many: {[*less[:SHOWN], *more[:SHOWN]]}")


Question = Callable[[Town], Awaitable[None]]
QUESTIONS: tuple[Question, ...] = (
    outboxes_are_streams,
    streams_are_the_ledger,
    accounts_close,
    sql_agrees,
    a_rebuild_changes_nothing,
    figures_are_the_simulators,
)

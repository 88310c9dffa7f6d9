"""The books of a town, which must be right after whatever befell it: one oracle for every fault."""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from time import monotonic

import asyncpg

from chassis import inbox
from chassis.database import create_pool
from chassis.wire import Unreadable, read
from contracts.development import ReviewDue
from contracts.envelope import source_of
from contracts.streams import Stream
from flexjob_pool.payroll import READS
from impact.catalogue import INDICATORS, measures_of
from impact.conservation import HEARD
from impact.rebuild import compare
from impact.store.conservation import balance
from impact.store.figures import snapshot
from impact.store.thorough import thorough_balance
from impact.verify.drift import Pair, verify
from impact.verify.watch import HORIZON
from local import comparison
from local.actions.payroll import SOURCE, Message
from local.expected.figures import expected_figures
from tests.faults.town import HEARTBEAT, MUNICIPALITY, PRODUCERS, Town

MEASURES = measures_of(INDICATORS)
PAYROLL = source_of(MUNICIPALITY, SOURCE)
REVIEW_DUE = ReviewDue.contract.type
READ_BY_THE_POOL = {model.contract.type for model in READS}
OUTBOX = """
SELECT source, event_id, type, convert_from(body, 'UTF8')::jsonb ->> 'causationid' AS cause
FROM outbox WHERE type NOT LIKE $1
"""
SETTLE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
SHOWN = 5


class Wrong(AssertionError):
    """The books do not say what they must; the text says which and how."""


async def check(town: Town, *, seconds: float = SETTLE_SECONDS) -> None:
    """Return once every question is answered as it must be. Raises Wrong when one is not, so many seconds after it."""
    await town.hall.office.pipeline.counted()
    for question in QUESTIONS:
        await answered(question, town, seconds=seconds)


async def answered(question: "Question", town: Town, *, seconds: float = SETTLE_SECONDS) -> None:
    """Return once a question is answered as it must be: what is under way meanwhile arrives. Raises Wrong else."""
    deadline = monotonic() + seconds
    while True:
        try:
            return await question(town)
        except Wrong:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


async def outboxes_are_what_was_answered(town: Town) -> None:
    """Every event that a caller was told of is in an outbox, and no other but what a producer tells by itself."""
    events = town.hall.office.events
    answered = {name for names in events.values() for name in names}
    sent = {str(action.message_id) for action in events if isinstance(action, Message)}
    kept = {row["event_id"]: row for row in await _rows(town, "flexjob_pool", OUTBOX)}
    asked = {name for name, row in kept.items() if row["type"] != REVIEW_DUE and row["cause"] is None}
    _named("events that callers were told of", answered, answered & {*kept})
    _named("events that nobody asked for", asked & answered, asked)
    told = {row["event_id"] for row in await _rows(town, "gateway", OUTBOX) if row["source"] == PAYROLL}
    _named("messages of payroll", sent, told)


async def the_pool_has_heard_the_gateway(town: Town) -> None:
    """What is on the gateway's stream has had its effect in the pool once; set aside is only what strangers told."""
    gateway = next(stream for stream in town.streams if stream.producer == "gateway")
    rows = await _rows(town, "flexjob_pool", "SELECT * FROM inbox WHERE coalesce(type, '') NOT LIKE $1")
    heard = {row["event_id"] for row in rows if row["outcome"] in ("applied", "failed")}
    _named("events that the pool reads", await _read_by_the_pool(town, gateway), heard)
    aside = {row["body"] for row in rows if row["outcome"] == "failed"}
    _alike("what the pool has set aside", aside & {*town.strangers}, aside)
    async with await create_pool(town.stack.database_urls["flexjob_pool"], name="books") as pool, pool.acquire() as db:
        _same("the pool's own account", [], await inbox.differences(db))
        progress = await inbox.progress(db, gateway.name)
    end = (await town.bus.jetstream().stream_info(gateway.name)).state.last_seq
    _same("how far the pool has read", end, progress.floor.sequence if progress else None)


async def _read_by_the_pool(town: Town, stream: Stream) -> set[str]:
    """The ids of what the pool reads on a stream."""
    found = set[str]()
    for body in await _bodies_on(town, stream):
        with suppress(Unreadable):
            envelope = read(body).envelope
            found |= {envelope.id} if envelope.type in READ_BY_THE_POOL else set()
    return found


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
    # Of its own source a producer speaks from its first heartbeat on.
    spoken_of = {source_of(MUNICIPALITY, producer) for producer in PRODUCERS}
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


def _named(what: str, expected: AbstractSet[str], found: AbstractSet[str]) -> None:
    _alike(what, {name.encode() for name in expected}, {name.encode() for name in found})


def _alike(what: str, left: AbstractSet[bytes], right: AbstractSet[bytes]) -> None:
    """Say how two sets differ: how many, and the first of them."""
    if left != right:
        less, more = sorted(left - right), sorted(right - left)
        raise Wrong(f"{what}: {len(less)} missing, {len(more)} too many: {[*less[:SHOWN], *more[:SHOWN]]}")


Question = Callable[[Town], Awaitable[None]]
QUESTIONS: tuple[Question, ...] = (
    outboxes_are_what_was_answered,
    outboxes_are_streams,
    the_pool_has_heard_the_gateway,
    streams_are_the_ledger,
    accounts_close,
    sql_agrees,
    a_rebuild_changes_nothing,
    figures_are_the_simulators,
)
